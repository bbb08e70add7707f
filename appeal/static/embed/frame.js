/* Inside the banner's own page: tells the page around it how high it is, in the three ways that hosts listen to
 * (our own height.js, AMP, WordPress), and says on its links which site it stands on. Written by the rules at the
 * head of appeal.js; nothing is stored and nothing is asked of the network. */
(() => {
  const body = document.body;
  const secret = new URLSearchParams(location.hash.replace(/^#\??/, "")).get("secret");
  const tell = (message) => parent.postMessage(message, "*");
  const measure = () => {
    const height = Math.ceil(body.getBoundingClientRect().height);
    tell({type: "appeal:height", height: height});
    tell({sentinel: "amp", type: "embed-size", height: height});
    if (secret) tell({message: "height", value: Math.min(1000, Math.max(200, height)), secret: secret});
  };

  // The address of the frame is the same for every site, so that a cache holds one copy; the browser knows more.
  let site = "";
  try {
    site = new URL(document.referrer).hostname;
  } catch {}
  body.querySelectorAll("a").forEach((link) => {
    const url = new URL(link.href);
    const own = "frame:" + body.dataset.placement;
    if (site && url.searchParams.get("src") == own) {
      url.searchParams.set("src", site + ":" + body.dataset.placement);
      link.href = url;
    }
    // WordPress allows its frames no way out but this message, and follows it if the site is the frame's own.
    link.onclick = (event) => {
      if (!secret) return;
      event.preventDefault();
      tell({message: "link", value: link.href, secret: secret});
    };
  });
  new ResizeObserver(measure).observe(body);
})();
