// What a report does in the reader's browser: draws the charts that the page's data describe, anew when the theme changes.
export const script = `
(function () {
  'use strict';
  var charts = JSON.parse(document.getElementById('charts').textContent);
  var root = document.documentElement;
  var button = document.getElementById('theme');
  var dark = window.matchMedia('(prefers-color-scheme: dark)');
  var chosen = null;
  var drawn = [];
  function short(value) {
    var size = Math.abs(value);
    if (size !== 0 && (size < 1e-3 || size >= 1e6)) return value.toExponential(2).replace(/\\.?0*e/, 'e').replace('e+', 'e');
    return String(Number(value.toPrecision(5)));
  }
  // Strings like var(--x) become the value that the style has now.
  function resolve(value, style) {
    if (typeof value === 'string') {
      var match = /^var\\((--[a-z0-9-]+)\\)$/.exec(value);
      return match ? style.getPropertyValue(match[1]).trim() : value;
    }
    if (Array.isArray(value)) return typeof value[0] === 'number' ? value : value.map(function (v) { return resolve(v, style); });
    if (value && typeof value === 'object') {
      var copy = {};
      for (var key in value) copy[key] = key === 'data' ? value[key] : resolve(value[key], style);
      return copy;
    }
    return value;
  }
  function draw() {
    root.dataset.theme = chosen || (dark.matches ? 'dark' : 'light');
    button.textContent = root.dataset.theme === 'dark' ? 'Light' : 'Dark';
    var style = getComputedStyle(root);
    drawn.forEach(function (chart) { chart.dispose(); });
    drawn = charts.map(function (one) {
      var option = resolve(one.option, style);
      option.textStyle.fontFamily = getComputedStyle(document.body).fontFamily;
      option.xAxis.axisLabel.formatter = option.yAxis.axisLabel.formatter = short;
      option.xAxis.axisPointer = { label: { formatter: function (p) { return short(p.value); } } };
      option.tooltip = {
        trigger: 'axis', confine: true, valueFormatter: function (v) { return v == null ? '–' : short(v); },
        backgroundColor: style.getPropertyValue('--card').trim(), borderColor: style.getPropertyValue('--line').trim(),
        textStyle: { color: style.getPropertyValue('--text').trim(), fontSize: 12.5 },
        axisPointer: { type: 'line', lineStyle: { color: style.getPropertyValue('--muted').trim(), type: 'dashed' } },
      };
      var chart = echarts.init(document.getElementById(one.id), null, { renderer: 'svg' });
      chart.setOption(option);
      return chart;
    });
  }
  button.addEventListener('click', function () {
    chosen = root.dataset.theme === 'dark' ? 'light' : 'dark';
    draw();
  });
  dark.addEventListener('change', draw);
  var timer = 0;
  window.addEventListener('resize', function () {
    clearTimeout(timer);
    timer = setTimeout(function () { drawn.forEach(function (chart) { chart.resize(); }); }, 100);
  });
  if (location.hash === '#dark' || location.hash === '#light') chosen = location.hash.slice(1);
  draw();
})();
`;
