/* The newspaper's own meter: which articles this reader has opened, kept in this site's storage. It runs before
   the page is drawn, so the wall stands where it stands from the first paint. */
(() => {
  const own = document.currentScript.dataset;
  const limit = Number(own.limit);
  const read = () => {
    try {
      return JSON.parse(localStorage.getItem("lantern:read")) || [];
    } catch {
      return [];
    }
  };
  const write = (articles) => {
    try {
      localStorage.setItem("lantern:read", JSON.stringify(articles));
    } catch {
      // A browser that keeps nothing reads on; the meter is an invitation, not a lock.
    }
  };
  const apply = () => {
    const articles = read();
    const known = articles.includes(own.article);
    const wall = !known && articles.length >= limit;
    if (!known && !wall) write(articles.concat(own.article));
    const left = Math.max(0, limit - read().length);
    document.documentElement.toggleAttribute("data-wall", wall);
    document.querySelectorAll("appeal-banner[views-left]").forEach((banner) => {
      banner.setAttribute("views-left", wall ? 0 : left);
    });
  };
  apply();
  document.addEventListener("DOMContentLoaded", () => {
    apply();
    document.querySelector("[data-reset]").addEventListener("click", () => {
      write([]);
      apply();
    });
  });
  // Whoever comes back from giving reads on: a real newspaper would have its server check the pass.
  document.addEventListener("appeal:thanks", () => {
    write([own.article]);
    apply();
  });
})();
