/* On a host's page that shows the banner in an iframe: gives the iframe the height that its page asks for. Only a
 * frame of ours is believed, and no height beyond 1200 px. Written by the rules at the head of appeal.js. */
(() => {
  const own = new URL(document.currentScript.src).origin;
  addEventListener("message", (event) => {
    const wanted = event.data;
    if (!wanted || wanted.type != "appeal:height" || !(wanted.height >= 0)) return;
    document.querySelectorAll("iframe").forEach((frame) => {
      if (frame.contentWindow == event.source && frame.src.startsWith(own + "/embed/")) {
        frame.style.height = Math.min(1200, wanted.height) + "px";
      }
    });
  });
})();
