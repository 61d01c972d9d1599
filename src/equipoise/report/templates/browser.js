// The browser of completions: filters, and a list that draws only the rows in view.
// Whatever comes from the run goes into text nodes; nothing is ever parsed as markup.
"use strict";
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const byId = (id) => document.getElementById(id);
  const list = byId("list"), rows = byId("rows"), detail = byId("detail"), count = byId("count");
  const filters = byId("filters");
  const BALANCED = 1, IN_RANGE = 2, HELD_OUT = 8, BEYOND = 6;

  // One entry a completion, in columns.
  const total = data.shown;
  const method = new Uint16Array(total), seed = new Uint16Array(total);
  const subject = new Uint32Array(total), text = new Uint32Array(total);
  let filled = 0;
  for (const [m, s, subjects, texts] of data.cells) {
    method.fill(m, filled, filled + subjects.length);
    seed.fill(s, filled, filled + subjects.length);
    subject.set(subjects, filled);
    text.set(texts, filled);
    filled += subjects.length;
  }

  const plain = (pieces) => pieces.map((piece, i) => (i % 2 ? piece.slice(1) : piece)).join("");
  let lowered = null; // made when it is first searched
  let chosen = new Uint32Array(0), active = -1, rowHeight = 44, drawn = "";

  const element = (name, className, content) => {
    const made = document.createElement(name);
    if (className) made.className = className;
    if (content !== undefined) made.textContent = content;
    return made;
  };

  const marked = (pieces) => {
    const whole = element("bdi");
    pieces.forEach((piece, i) => {
      if (i % 2 === 0) {
        whole.append(piece);
        return;
      }
      const code = piece.charCodeAt(0) - 65, set = code >> 1;
      const mark = element("mark", `s${set % 6}${code % 2 ? " held" : ""}`, piece.slice(1));
      mark.dataset.set = data.sets[set];
      whole.append(mark);
    });
    return whole;
  };

  const filter = () => {
    const wanted = (name) => filters.elements[name].value;
    const asked = (name) => (wanted(name) === "" ? -1 : Number(wanted(name)));
    const m = asked("method"), s = asked("seed"), about = asked("subject"), b = asked("balanced");
    const needle = wanted("text").trim().toLowerCase();
    let fits = null;
    if (needle) {
      lowered ??= data.texts.map((pieces) => plain(pieces).toLowerCase());
      fits = lowered.map((one) => one.includes(needle));
    }
    const found = new Uint32Array(total);
    let n = 0;
    for (let i = 0; i < total; i++) {
      if ((m < 0 || method[i] === m) && (s < 0 || seed[i] === s) && (about < 0 || subject[i] === about)
        && (b < 0 || (data.flags[text[i]] & BALANCED) === b) && (!fits || fits[text[i]])) found[n++] = i;
    }
    chosen = found.subarray(0, n);
    active = -1;
    list.removeAttribute("aria-activedescendant");
    const share = chosen.reduce((sum, i) => sum + (data.flags[text[i]] & BALANCED), 0);
    count.textContent = `${n.toLocaleString("en")} of ${total.toLocaleString("en")} completions`
      + (n ? `, ${(100 * share / n).toFixed(1)} % of them balanced` : "");
    list.setAttribute("aria-rowcount", String(n));
    list.scrollTop = 0;
    detail.replaceChildren();
    draw(true);
  };

  const row = (place) => {
    const i = chosen[place], t = text[i];
    const made = element("div", place === active ? "row active" : "row");
    made.setAttribute("role", "row");
    made.setAttribute("aria-rowindex", String(place + 1));
    made.id = `row-${place}`;
    made.setAttribute("aria-selected", String(place === active));
    made.style.transform = `translateY(${place * rowHeight}px)`;
    made.dataset.place = String(place);
    const balanced = data.flags[t] & BALANCED;
    const words = element("div", "text");
    words.append(marked(data.texts[t]));
    made.append(
      element("div", "who", data.methods[method[i]]),
      element("div", "seed", String(data.seeds[seed[i]])),
      words,
      element("div", balanced ? "verdict yes" : "verdict", balanced ? "✓ balanced" : "–"),
    );
    for (const cell of made.children) cell.setAttribute("role", "gridcell");
    return made;
  };

  const draw = (anew) => {
    const first = Math.max(0, Math.floor(list.scrollTop / rowHeight) - BEYOND);
    const last = Math.min(chosen.length, Math.ceil((list.scrollTop + list.clientHeight) / rowHeight) + BEYOND);
    const now = `${first}-${last}-${active}`;
    if (!anew && now === drawn) return;
    drawn = now;
    rows.style.height = `${chosen.length * rowHeight}px`;
    const made = [];
    for (let place = first; place < last; place++) made.push(row(place));
    rows.replaceChildren(...made);
  };

  const open = (place) => {
    active = place;
    const i = chosen[place], t = text[i], flags = data.flags[t];
    const whole = element("p", "whole");
    whole.append(marked(data.texts[t]));
    const about = [
      data.methods[method[i]], `seed ${data.seeds[seed[i]]}`, data.subjects[subject[i]],
      data.splits[subject[i]] === "validation" ? "unseen subject" : data.splits[subject[i]] && "train subject",
      `${data.words[t].toLocaleString("en")} words${flags & IN_RANGE ? "" : ", not in range"}`,
      flags & BALANCED ? "balanced" : flags & HELD_OUT ? "balanced with held-out terms" : "not balanced",
    ].filter(Boolean);
    detail.replaceChildren(whole, element("p", "quiet", about.join(" · ")));
    draw(true);
    list.setAttribute("aria-activedescendant", `row-${place}`);
  };

  const move = (place) => {
    if (!chosen.length) return;
    const to = Math.min(Math.max(place, 0), chosen.length - 1);
    const top = to * rowHeight;
    if (top < list.scrollTop) list.scrollTop = top;
    if (top + rowHeight > list.scrollTop + list.clientHeight) list.scrollTop = top + rowHeight - list.clientHeight;
    open(to);
  };

  const keys = {
    ArrowDown: () => active + 1,
    ArrowUp: () => active - 1,
    PageDown: () => active + Math.floor(list.clientHeight / rowHeight),
    PageUp: () => active - Math.floor(list.clientHeight / rowHeight),
    Home: () => 0,
    End: () => chosen.length - 1,
    Enter: () => Math.max(active, 0),
  };

  list.addEventListener("keydown", (event) => {
    if (!Object.hasOwn(keys, event.key) || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    move(keys[event.key]());
  });
  rows.addEventListener("click", (event) => {
    const target = event.target.closest(".row");
    if (target) open(Number(target.dataset.place));
  });
  let waiting = false;
  list.addEventListener("scroll", () => {
    if (waiting) return;
    waiting = true;
    requestAnimationFrame(() => { waiting = false; draw(false); });
  }, { passive: true });
  const measure = () => {
    rowHeight = parseFloat(getComputedStyle(list).getPropertyValue("--row")) || 44;
    draw(true);
  };
  addEventListener("resize", measure);
  filters.addEventListener("input", filter);
  filters.addEventListener("submit", (event) => event.preventDefault());

  filters.hidden = false;
  byId("browser").hidden = false;
  measure();
  filter();
})();
