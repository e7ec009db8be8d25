{
  "targets": [
    {
      "target_name": "thalweg_cmake",
      "type": "none",
      "actions": [
        {
          "action_name": "cmake",
          "inputs": ["CMakeLists.txt"],
          "outputs": ["<(PRODUCT_DIR)/thalweg.node"],
          "action": ["node", "scripts/build-native.cjs"]
        }
      ]
    }
  ]
}
