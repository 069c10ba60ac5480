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
    var link = event.target instanceof Element ? event.target.closest("a.num-mark, a.cut, .beside a[href^='#n'], .beside a[href^='#x']") : null;
    if (!link) return;
    var goal = document.getElementById(link.getAttribute("href").slice(1));
    if (goal) { setTimeout(function () { goal.focus({ preventScroll: true }); }, 0); }
  });
  // Whoever comes from a figure elsewhere sees its row and, in the text beside it, its sentence.
  function showSentence() {
    var key = /^#o([0-9]+)$/.exec(window.location.hash);
    var number = key && document.querySelector('a.num-mark[data-o~="' + key[1] + '"]');
    document.querySelectorAll("a.num-mark.sought").forEach(function (one) { one.classList.remove("sought"); });
    if (!number) return;
    number.classList.add("sought");
    if (window.matchMedia("(min-width: 68rem)").matches) {
      var row = document.getElementById("o" + key[1]);
      number.scrollIntoView({ block: "center" });
      if (row) row.closest(".beside").scrollTop = row.offsetTop - 100;
    }
  }
  window.addEventListener("hashchange", showSentence);
  showSentence();
  // A part that is refused (a filter not understood, too many questions) is asked for as a page, which says why.
  document.addEventListener("htmx:responseError", function (event) {
    window.location.assign(event.detail.pathInfo.finalRequestPath || event.detail.pathInfo.requestPath);
  });
  document.addEventListener("keydown", function (event) {
    if (event.key === "/" && !/^(INPUT|TEXTAREA|SELECT)$/.test(document.activeElement.tagName)) {
      var search = document.querySelector("input[type=search]");
      if (search) { event.preventDefault(); search.focus(); }
    }
  });
})();
