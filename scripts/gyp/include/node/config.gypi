{ 'variables': {} }
