// Everything here is a comfort. The pages work without it.
(() => {
  "use strict";

  document.documentElement.classList.add("js");

  const copied = async (button) => {
    const source = button.closest("[data-copy-box]").querySelector("[data-copy-source]");
    await navigator.clipboard.writeText(source.textContent.trim());
    const word = button.querySelector("[data-copy-word]");
    const before = word.textContent;
    word.textContent = button.dataset.copied;
    window.setTimeout(() => { word.textContent = before; }, 2000);
  };

  document.addEventListener("click", (event) => {
    const dismiss = event.target.closest("[data-dismiss]");
    if (dismiss) {
      dismiss.closest("[data-dismissible]").remove();
      return;
    }
    const copy = event.target.closest("[data-copy]");
    if (copy) copied(copy);
  });

  // A choice that reloads the page (cycle, currency) needs no second click.
  document.addEventListener("change", (event) => {
    const form = event.target.closest("form[data-submit-on-change]");
    if (form) form.requestSubmit();
  });

  // One click pays once. The button stays usable when the browser comes back from its cache.
  document.addEventListener("submit", (event) => {
    const button = event.submitter;
    if (!button || !button.matches("[data-busy]")) return;
    window.setTimeout(() => {
      button.disabled = true;
      button.classList.add("button--busy");
    });
  });

  window.addEventListener("pageshow", (event) => {
    if (!event.persisted) return;
    for (const button of document.querySelectorAll("[data-busy][disabled]")) {
      button.disabled = false;
      button.classList.remove("button--busy");
    }
  });

  // On a phone the client menu is wider than the page: the place one is at comes into view.
  const here = document.querySelector(".sidenav [aria-current]");
  if (here) here.parentElement.scrollLeft = here.offsetLeft - here.parentElement.offsetLeft - 16;

  const errors = document.querySelector("[data-focus]");
  if (errors) errors.focus();
})();
