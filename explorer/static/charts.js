// Draws a metric's page from its chart.json. The tables of the page say the same; a drawing adds nothing they lack.
(function () {
  "use strict";
  var page = document.getElementById("charts");
  if (!page || !window.echarts) return;
  var still = window.matchMedia("(prefers-reduced-motion: reduce)").matches;
  var drawn = [];
  var COLORS = ["#0b57a4", "#b36b00", "#6a2c91", "#1d6b3a"];
  var MAP_SYMBOLS = { "": "circle", disputed: "triangle", part: "roundRect", target: "diamond", approx: "rect" };
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

  // Every mark leads on: a single figure to its statement, one that sums up to the figures that it is made of.
  function lead(chart) {
    if (chart) chart.on("click", function (one) { if (one.data && one.data.href) window.location.assign(one.data.href); });
  }
  function kindOf(told, one) { return told.words.kinds[one.kind] ? " (" + told.words.kinds[one.kind] + ")" : ""; }
  var OUTLINES = {
    disputed: { borderColor: "#a81c2b", borderWidth: 2.5 }, part: { borderColor: "#b36b00", borderWidth: 2, borderType: "dashed" },
    target: { borderColor: "#6a2c91", borderWidth: 2, borderType: "dashed" }, approx: { borderColor: "#274b8f", borderWidth: 2, borderType: "dotted" }
  };

  function drawMap(told, shapes) {
    var names = {};
    shapes.features.forEach(function (shape) { names[shape.properties.code] = shape.properties.name; });
    window.echarts.registerMap("places", shapes);
    var known = told.map.areas.filter(function (area) { return names[area.code]; });
    var points = told.map.points;
    var values = known.concat(points).map(function (one) { return one.value; });
    var low = values.length ? Math.min.apply(null, values) : 0;
    var high = values.length ? Math.max.apply(null, values) : 1;
    var size = points.length > 500 ? 6 : 10;
    var scale = { min: high > low ? low : low - 1, max: high, calculable: true, left: 8, bottom: 8 };
    var blue = ["#e6eefc", "#7ba6e0", "#0b57a4", "#062f5c"];
    var scales = points.length // areas beneath points are grey, on the same scale
      ? [Object.assign({ seriesIndex: 1, inRange: { color: blue } }, scale),
         Object.assign({}, scale, { seriesIndex: 0, show: false, inRange: { color: ["#f7f8fa", "#aeb6c4"] } })]
      : [Object.assign({ seriesIndex: 0, inRange: { color: blue } }, scale)];
    lead(draw("map", {
      animation: false,
      tooltip: { formatter: function (one) {
        var mark = one.data || {};
        var name = names[one.name] || one.name;
        if (mark.value === undefined || mark.value === null) return name + "\n" + told.words.none;
        var value = mark.figure === undefined ? mark.value : mark.figure;
        return name + "\n" + (mark.n > 1 ? told.words.median + " " : "") + short(value) + " " + told.unit + kindOf(told, mark) +
          (mark.n > 1 ? "\n" + told.words.regions + " " + mark.n : "");
      } },
      visualMap: scales,
      geo: { map: "places", nameProperty: "code", roam: false, itemStyle: { areaColor: "#f5f7fa", borderColor: "#7b869c" },
        emphasis: { label: { show: false } }, left: 96, right: 8, top: 8, bottom: 8 },
      series: [
        { type: "map", map: "places", geoIndex: 0, nameProperty: "code", data: known.map(function (area) {
          return { name: area.code, value: area.value, n: area.n, kind: area.kind, href: area.href, itemStyle: OUTLINES[area.kind] };
        }) },
        { type: "scatter", coordinateSystem: "geo", symbolSize: size, data: points.map(function (one) {
          return { name: one.name, value: [one.at[0], one.at[1], one.value], figure: one.value, kind: one.kind,
            href: one.href, symbol: MAP_SYMBOLS[one.kind],
            itemStyle: Object.assign({ borderColor: "#fff", borderWidth: 1 }, OUTLINES[one.kind]) };
        }) }
      ]
    }));
    var missing = document.getElementById("missing");
    if (missing && told.map.missing) {
      missing.textContent = missing.dataset.text.replace("%d", told.map.missing);
      missing.hidden = false;
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
        data: of(function (one) { return { value: one.median, href: one.href }; }) }
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
    lead(draw("years", {
      tooltip: { trigger: "item", valueFormatter: function (value) { return short(value) + " " + told.unit; } },
      legend: { data: [told.words.median, told.words.middle].concat(told.lines.map(function (line) { return line.name; })) },
      grid: { left: 56, right: 16, top: 40, bottom: 28 },
      xAxis: { type: "category", data: years.map(String) }, yAxis: { type: "value" }, series: series
    }));
  }
  function drawSpread(told) {
    lead(draw("spread", {
      tooltip: { formatter: function (one) {
        var bin = told.histogram[one.dataIndex];
        return short(bin.from) + " – " + short(bin.to) + "\n" + told.words.regions + " " + bin.n;
      } },
      grid: { left: 48, right: 16, top: 16, bottom: 28 },
      xAxis: { type: "category", data: told.histogram.map(function (bin) { return short(bin.from); }) },
      yAxis: { type: "value", minInterval: 1 },
      series: [{ type: "bar", barCategoryGap: "5%", itemStyle: { color: "#0b57a4" },
        data: told.histogram.map(function (bin) { return { value: bin.n, href: bin.href }; }) }]
    }));
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
