/* The page "put this appeal on your site": copy buttons, and a form that needs no button. Without it, all works. */
(() => {
  document.querySelectorAll("[data-copy]").forEach((button) => {
    button.hidden = false;
    const label = button.textContent;
    button.addEventListener("click", async () => {
      const code = document.getElementById(button.dataset.copy);
      try {
        await navigator.clipboard.writeText(code.textContent);
        button.textContent = "Copied";
      } catch {
        // Where the clipboard is closed to us, the text is at least chosen for the reader's own Ctrl-C.
        getSelection().selectAllChildren(code);
        button.textContent = "Press Ctrl-C";
      }
      setTimeout(() => { button.textContent = label; }, 2000);
    });
  });
  const form = document.querySelector(".choose");
  form.addEventListener("change", () => form.requestSubmit());
})();
