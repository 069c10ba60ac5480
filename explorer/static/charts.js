// Draws a metric's page from its chart.json. The tables of the page say the same; a drawing adds nothing they lack.
(function () {
  "use strict";
  var page = document.getElementById("charts");
  if (!page || !window.echarts) return;
  var still = window.matchMedia("(prefers-reduced-motion: reduce)").matches;
  var drawn = [];
  var COLORS = ["#0b57a4", "#b36b00", "#6a2c91", "#1d6b3a"];
  var SYMBOLS = { "": "circle", disputed: "triangle", part: "emptyCircle", target: "emptyDiamond", approx: "rect" };

  function ask(address) {
    return fetch(address, { credentials: "same-origin" }).then(function (answer) {
      if (!answer.ok) throw new Error(address + ": " + answer.status);
      return answer.json();
    });
  }
  function draw(name, option) {
    var place = document.querySelector('[data-chart="' + name + '"]');
    if (!place) return null;
    var chart = window.echarts.init(place, null, { renderer: "canvas" });
    option.animation = !still && option.animation !== false;
    option.tooltip = Object.assign({ renderMode: "richText", confine: true }, option.tooltip);
    chart.setOption(option);
    drawn.push(chart);
    return chart;
  }
  function short(value) { return Number(value).toLocaleString("en-US", { maximumFractionDigits: 2 }); }

  function drawMap(told, shapes) {
    var names = {};
    shapes.features.forEach(function (shape) { names[shape.properties.code] = shape.properties.name; });
    window.echarts.registerMap("places", shapes);
    var known = told.map.filter(function (area) { return names[area.code]; });
    var values = known.map(function (area) { return area.value; });
    var low = values.length ? Math.min.apply(null, values) : 0;
    var high = values.length ? Math.max.apply(null, values) : 1;
    var chart = draw("map", {
      animation: false,
      tooltip: { formatter: function (one) {
        var area = one.data || {};
        return names[one.name] + "\n" + (area.n ? told.words.median + " " + short(area.value) + " " + told.unit + "\n" +
          told.words.regions + " " + area.n : told.words.none);
      } },
      visualMap: { min: high > low ? low : low - 1, max: high, calculable: true, left: 8, bottom: 8,
        inRange: { color: ["#e6eefc", "#7ba6e0", "#0b57a4", "#062f5c"] } },
      series: [{ type: "map", map: "places", nameProperty: "code", roam: false,
        itemStyle: { areaColor: "#f5f7fa", borderColor: "#7b869c" }, emphasis: { label: { show: false } },
        data: known.map(function (area) { return { name: area.code, value: area.value, n: area.n }; }) }]
    });
    if (chart && page.dataset.drill) {
      chart.on("click", function (one) {
        if (one.data && one.data.n) window.location.assign(page.dataset.drill + "&province=" + one.name.slice(0, 2));
      });
    }
  }
  function drawYears(told) {
    var years = told.medians.map(function (one) { return one.year; });
    told.lines.forEach(function (line) { line.points.forEach(function (one) { years.push(one.year); }); });
    var first = Math.min.apply(null, years);
    var count = years.length ? Math.max.apply(null, years) - first + 1 : 0;
    years = Array.from({ length: count }, function (_, i) { return first + i; });
    var by = {};
    told.medians.forEach(function (one) { by[one.year] = one; });
    function of(pick) { return years.map(function (year) { return by[year] ? pick(by[year]) : null; }); }
    var band = { type: "line", stack: "middle", symbol: "none", lineStyle: { opacity: 0 }, silent: true };
    var series = [
      Object.assign({}, band, { name: "q1", data: of(function (one) { return one.q1; }) }),
      Object.assign({}, band, { name: told.words.middle, areaStyle: { color: "#c9d7ee" }, itemStyle: { color: "#c9d7ee" },
        data: of(function (one) { return one.q3 - one.q1; }) }),
      { name: told.words.median, type: "line", lineStyle: { type: "dashed" }, itemStyle: { color: "#55607a" },
        data: of(function (one) { return one.median; }) }
    ];
    told.lines.forEach(function (line) {
      var points = {};
      var color = COLORS[told.lines.indexOf(line) % COLORS.length];
      line.points.forEach(function (one) { points[one.year] = one; });
      // Targets and parts of a year stand beside the line: it joins what can be compared.
      [["line", true], ["scatter", false]].forEach(function (kind) {
        series.push({ name: line.name, type: kind[0], symbolSize: 11, showSymbol: true, connectNulls: false,
          itemStyle: { color: color }, lineStyle: { color: color }, data: years.map(function (year) {
            var one = points[year];
            var joined = one && one.kind !== "target" && one.kind !== "part";
            return one && joined === kind[1] ? { value: one.value, symbol: SYMBOLS[one.kind], href: one.href } : null;
          }) });
      });
    });
    var chart = draw("years", {
      tooltip: { trigger: "item", valueFormatter: function (value) { return short(value) + " " + told.unit; } },
      legend: { data: [told.words.median, told.words.middle].concat(told.lines.map(function (line) { return line.name; })) },
      grid: { left: 56, right: 16, top: 40, bottom: 28 },
      xAxis: { type: "category", data: years.map(String) }, yAxis: { type: "value" }, series: series
    });
    if (chart) chart.on("click", function (one) { if (one.data && one.data.href) window.location.assign(one.data.href); });
  }
  function drawSpread(told) {
    draw("spread", {
      tooltip: { formatter: function (one) {
        var bin = told.histogram[one.dataIndex];
        return short(bin.from) + " – " + short(bin.to) + "\n" + told.words.regions + " " + bin.n;
      } },
      grid: { left: 48, right: 16, top: 16, bottom: 28 },
      xAxis: { type: "category", data: told.histogram.map(function (bin) { return short(bin.from); }) },
      yAxis: { type: "value", minInterval: 1 },
      series: [{ type: "bar", barCategoryGap: "5%", itemStyle: { color: "#0b57a4" },
        data: told.histogram.map(function (bin) { return bin.n; }) }]
    });
  }
  ask(page.dataset.src).then(function (told) {
    drawYears(told);
    drawSpread(told);
    if (!document.querySelector('[data-chart="map"]')) return null;
    return ask(page.dataset.shapes).then(function (shapes) { drawMap(told, shapes); });
  }).catch(function () {
    page.querySelectorAll(".chart").forEach(function (one) { one.textContent = page.dataset.failed; });
  }).finally(function () { page.dataset.drawn = "yes"; });
  window.addEventListener("resize", function () { drawn.forEach(function (chart) { chart.resize(); }); });
})();
