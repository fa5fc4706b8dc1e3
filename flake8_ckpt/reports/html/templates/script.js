"use strict";
(() => {
  const form = document.getElementById("filter");
  const open = () => {
    const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    for (let each = target; each; each = each.parentElement) {
      if (each instanceof HTMLDetailsElement) each.open = true;
    }
    if (target) target.scrollIntoView();
  };
  addEventListener("hashchange", open);
  if (location.hash) open();
  for (const picture of document.querySelectorAll(".picture")) {
    const lines = [...picture.querySelectorAll(".line")];
    picture.addEventListener("pointerover", ({ target }) => {
      const { box, key } = target.closest(".box, .key")?.dataset ?? {};
      picture.classList.toggle("asked", box !== undefined || key !== undefined);
      for (const line of lines) line.classList.toggle("lit", line.dataset.box === box || line.dataset.key === key);
    });
    picture.addEventListener("pointerleave", () => picture.classList.remove("asked"));
  }
  if (!form) return;
  const findings = [...document.querySelectorAll(".finding")].map((element) => ({
    element,
    rule: element.dataset.rule,
    text: element.textContent.toLowerCase(),
  }));
  const files = [...document.querySelectorAll(".file")];
  const shown = document.getElementById("shown");
  const nothing = document.getElementById("nothing");
  const apply = () => {
    const words = form.elements.search.value.toLowerCase().split(/\s+/).filter(Boolean);
    const only = new Set([...form.querySelectorAll("input[name=rule]:checked")].map((each) => each.value));
    let count = 0;
    for (const { element, rule, text } of findings) {
      const file = element.parentElement.getAttribute("aria-label").toLowerCase();
      const fits = (!only.size || only.has(rule)) && words.every((word) => text.includes(word) || file.includes(word));
      element.hidden = !fits;
      count += fits;
    }
    for (const file of files) file.hidden = !file.querySelector(".finding:not([hidden])");
    shown.textContent = `${count} of ${findings.length} shown`;
    nothing.hidden = count > 0;
  };
  form.hidden = false;
  form.addEventListener("input", apply);
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("reset", () => setTimeout(apply));
  apply();
})();
