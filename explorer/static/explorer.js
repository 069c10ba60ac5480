// Both-way linking between the numbers of a text and the table beside it. All of it works as plain links without this.
(function () {
  "use strict";
  function light(keys, on) {
    keys.forEach(function (key) {
      document.querySelectorAll('[data-o~="' + key + '"]').forEach(function (one) { one.classList.toggle("lit", on); });
    });
  }
  function keysOf(target) {
    var one = target instanceof Element ? target.closest("[data-o]") : null;
    return one && one.dataset.o ? one.dataset.o.split(" ") : [];
  }
  [["mouseover", true], ["mouseout", false], ["focusin", true], ["focusout", false]].forEach(function (pair) {
    document.addEventListener(pair[0], function (event) { light(keysOf(event.target), pair[1]); });
  });
  document.addEventListener("click", function (event) {
    var link = event.target instanceof Element ? event.target.closest("a.num-mark, .beside a[href^='#n']") : null;
    if (!link) return;
    var goal = document.getElementById(link.getAttribute("href").slice(1));
    if (goal) { setTimeout(function () { goal.focus({ preventScroll: true }); }, 0); }
  });
  document.addEventListener("keydown", function (event) {
    if (event.key === "/" && !/^(INPUT|TEXTAREA|SELECT)$/.test(document.activeElement.tagName)) {
      var search = document.querySelector("input[type=search]");
      if (search) { event.preventDefault(); search.focus(); }
    }
  });
})();
