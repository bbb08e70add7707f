/* <appeal-banner>: an appeal's true figure on somebody else's page.
 *
 * Rules of this file. appeal/embed/minify.py drops line ends and shortens the names declared here and the
 * element's own properties (those with a leading underscore), so every statement ends in a semicolon and there
 * is no template literal, default parameter, destructuring or shorthand property. Nothing is built from
 * markup, so nothing can be injected and a host may require Trusted Types. "@words", "@version" and "@css" are
 * filled in by appeal/embed/script.py. Every byte is loaded on somebody else's page: 4 KB gzip is the limit. */
(() => {
  // A second copy on the page, or a browser without the parts this needs: the host's own links stay.
  if (!document.adoptedStyleSheets || customElements.get("appeal-banner")) return;
  const words = "@words";
  const sheet = new CSSStyleSheet();
  const day = 864e5;
  const banners = new Set();
  const answers = {};
  const counted = {};
  const thanked = {};
  const here = new URL(location);

  // What the reader said, in the host's own storage, and only after the reader has acted. Storage may throw
  // (private windows, sandboxed frames): the banner still closes, it is only not remembered.
  const recall = (slug) => {
    try {
      return JSON.parse(localStorage.getItem("appeal:" + slug)) || {};
    } catch {
      return {};
    }
  };
  const remember = (slug, why, until, seen) => {
    try {
      localStorage.setItem("appeal:" + slug, JSON.stringify({until: new Date(until), why: why, seen: seen}));
    } catch {}
  };

  const send = (address, options) => fetch(address, {credentials: "omit", ...options});

  const make = (tag, name, ...content) => {
    const node = document.createElement(tag);
    if (name) node.className = node.part = name;
    node.append(...content);
    return node;
  };

  // The word for a count: the last one of the list is for all larger counts.
  const pick = (list, count) => (list = [].concat(list))[count] || list.pop();

  const watcher = new IntersectionObserver((entries) => entries.forEach((entry) => {
    const banner = entry.target;
    if (banner._leaving) banner.hidden ||= !entry.isIntersecting;
    else if (entry.intersectionRatio >= .5) banner._shown();
  }), {threshold: [0, .5]});

  const report = (banner, blocked) => {
    if (Math.random() < .01 && banner.getAttribute("beacon") != "off") send(new URL("/embed/v1/beacon", banner._base), {
      method: "POST", keepalive: true,
      body: new URLSearchParams({
        host: location.hostname, placement: banner._placement, version: "@version", blocked: blocked,
      }),
    }).catch(() => {});
  };

  class Banner extends HTMLElement {
    constructor() {
      super();
      this.attachShadow({mode: "open"}).adoptedStyleSheets = [sheet];
    }

    connectedCallback() {
      banners.add(this);
      this._update();
    }

    disconnectedCallback() {
      banners.delete(this);
    }

    attributeChangedCallback() {
      if (banners.has(this)) this._update();
    }

    _emit(name, more) {
      this.dispatchEvent(new CustomEvent("appeal:" + name, {
        bubbles: true, composed: true, detail: {appeal: this._slug, placement: this._placement, ...more},
      }));
    }

    // The box has the placement's height whatever is in it; without content, the host's own link.
    _show(...content) {
      this._box = make("section", "box " + this._placement, ...content);
      this.shadowRoot.replaceChildren(this._box);
    }

    // Goes without moving what is being read: at once if nothing has been painted yet or the reader asked for
    // it, else as soon as its place is out of sight.
    _leave(now) {
      this._leaving = 1;
      this._drawn = 0;
      this._box.style.visibility = "hidden";
      this.hidden ||= now;
      this._watch();
    }

    // Observing anew makes the watcher say at once what is in sight.
    _watch() {
      watcher.unobserve(this);
      watcher.observe(this);
    }

    // A reminder comes in a week, or half-way to the end of the appeal if that is sooner.
    _dismiss(why) {
      const days = {closed: 14, given: 365, later: Math.min(7, this._days / 2 || 7)}[why];
      if (!days) return;
      remember(this._slug, why, Date.now() + days * day);
      this._emit("dismiss", {why: why});
      banners.forEach((one) => one._slug == this._slug && one._leave(1));
    }

    // The frequency cap counts, once a page, in the record of a reader who has closed a banner before. Whoever
    // never acted has no record, and gets none by looking.
    _shown() {
      const slug = this._slug;
      const record = recall(slug);
      if (!this._drawn || this._told == slug) return;
      this._told = slug;
      if (record.until && !counted[slug]) remember(slug, record.why, record.until, record.seen + 1 || 1);
      counted[slug] = 1;
      this._emit("shown");
      report(this, "");
    }

    async _update() {
      const attribute = (name) => this.getAttribute(name) || "";
      const slug = this._slug = attribute("appeal");
      const lang = (this.closest("[lang]") || this).lang.slice(0, 2);
      const token = here.searchParams.get("appeal_thanks");
      const round = this._round = {};
      this._placement = /^(top|end|paywall)$/.test(attribute("placement")) ? attribute("placement") : "article";
      this._page = (attribute("page") || location.pathname).slice(0, 200);
      this._drawn = this._leaving = 0;
      this._show(make("slot"));
      if (this.hasAttribute("quiet") || !/^[\w-]+$/.test(slug)) return;

      // The way back from a gift. The host's own scripts may still be loading, so they are told a little later;
      // then the pass is taken out of the address, or a shared link would carry it.
      if (token && !thanked[slug]) {
        thanked[slug] = 1;
        remember(slug, "given", Date.now() + 365 * day);
        setTimeout(() => {
          this._emit("thanks", {token: token});
          here.searchParams.delete("appeal_thanks");
          history.replaceState(history.state, "", here);
        });
      }
      const record = recall(slug);
      if (thanked[slug] || Date.parse(record.until) > Date.now() || record.seen >= (attribute("cap") || 1e9))
        return this._leave(!performance.getEntriesByType("paint")[0]);

      // One request for an appeal and a page, however many banners. No answer, an unknown appeal or a figure
      // that makes no sense: the link that was there before stays. Whoever accepts this type is told of an unknown
      // appeal by 204; for a 404 the browser itself would write an error into the host's console (ADR 0041).
      try {
        this._base = attribute("src-base");
        const address = new URL("/api/v1/appeals/" + slug + (/^(en|)$/i.test(lang) ? "" : "?lang=" + lang), this._base);
        const data = await (answers[address] ||= /^http/.test(address) && send(address, {
          headers: {accept: "application/vnd.appeal+json"},
        }).then((answer) => answer.json()));
        if (round == this._round && !this._leaving) this._draw(data, attribute);
      } catch {}
    }

    _draw(data, attribute) {
      const extra = data.banner || {};
      const placement = this._placement;
      const lang = extra.lang || "en";
      const ui = {...words.ui, ...extra.ui};
      const left = attribute("views-left");
      const metered = placement == "paywall" && /^\d+$/.test(left);
      const text = {
        ...words.states.running, ...words.states[data.state],
        ...(metered && {title: words.left}),
        ...extra.words?.[placement],
      };
      const open = !/upcoming|ended/.test(data.state);
      const values = {title: data.title, left: left, ...data.formatted};
      const fill = (content, count) => content.replace(/{(\w+)}/g, (all, name) => name == "n" ? count : values[name]);
      // Not toLocaleString: loading a browser's Intl costs the page several times what all the rest does.
      const counted = (list, count) => fill(pick(list, count), (count + "").replace(/\B(?=(...)+$)/g, ui.sep));

      const link = (name, content, more) => {
        const url = new URL(data.donate_url);
        const node = make("a", name, content);
        url.search += (url.search && "&") + new URLSearchParams({
          src: location.hostname + ":" + placement, page: this._page, ...more,
        });
        if (/^http/.test(url)) node.href = url;
        return node;
      };

      if (extra.off?.includes(placement)) return this._leave();
      this._days = data.days_left;

      const story = make("div", "words", make("p", "title", fill(pick(text.title, +left))));
      const limit = attribute("view-limit");
      if (metered && limit < 13) {
        const meter = make("div", "meter");
        for (let spot = 0; spot < limit; spot++) meter.append(make("i", spot < limit - left && "read"));
        story.prepend(meter);
      }
      if (placement != "top") story.append(make("p", "body", fill(text.body)));

      const side = make("div", "ask");
      if (data.state != "upcoming") {
        const sum = data.goal_minor ? " " + fill(ui.raised) : "";
        const bar = make("progress", "bar");
        bar.hidden = !data.goal_minor;
        bar.max = data.goal_minor;
        bar.value = data.raised_minor;
        bar.ariaLabel = data.title;
        bar.ariaValueText = values.raised + sum;
        side.append(
          make("p", "figure", make("b", "raised", values.raised), sum), bar,
          make("p", "facts", counted(ui.gifts, data.gift_count)
            + (open && data.days_left != null ? " · " + counted(ui.days, data.days_left) : "")),
        );
      }
      if (placement == "end" && open) {
        const amounts = make("div", "amounts", ...(attribute("amounts") || "10,25,50").split(",")
          .filter((amount) => /^\d{1,6}$/.test(amount))
          .map((amount) => link("amount", values.raised.replace(/\d(.*\d)?/, amount), {
            amount: amount + ".00", frequency: "once",
          })));
        side.append(amounts, link("button", ui.other));
      } else side.append(link("button", fill(text.button)));
      if (placement != "top" && open) side.append(make("div", "quiet",
        make("button", "later", ui.later), make("button", "given", ui.given),
      ));

      const close = make("button", "closed", "×");
      close.ariaLabel = ui.closed;
      this._show(story, side, close);
      this._box.ariaLabel = [data.title, [...banners].indexOf(this) || ""].join(" ");
      this._box.lang = lang;
      this._box.dir = this.dir || ui.dir || "";
      this._box.style.setProperty("--brand", extra.accent || "");
      this._box.onclick = (event) => event.target.href ? this._emit("click") : this._dismiss(event.target.className);
      this._box.onkeydown = (event) => {
        if (event.key == "Escape") this._dismiss("closed");
      };
      this._drawn = 1;
      this._watch();
    }
  }

  // Only a banner that has been drawn can report: where connections to us are blocked, a report would be too.
  document.addEventListener("securitypolicyviolation", (event) => {
    const banner = [...banners].find((one) => one._drawn && event.blockedURI.startsWith(one._base));
    if (banner) report(banner, event.effectiveDirective);
  });

  sheet.replaceSync("@css");
  Banner.observedAttributes = "appeal src-base placement page views-left view-limit lang amounts quiet".split(" ");
  customElements.define("appeal-banner", Banner);
})();
