// Building the page from nodes only: text always becomes a text node, never markup.

// An element: `h("button", {class: "x", onclick: f, data: {id: 1}}, "text", node, …)`; null and false children vanish.
export function h(tag, props = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) setProp(node, name, value);
  node.append(...flat(children));
  return node;
}

function setProp(node, name, value) {
  if (value === null || value === undefined || value === false) return;
  if (name === "data") Object.assign(node.dataset, value);
  else if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
  else if (["value", "checked", "disabled", "selected", "hidden", "inert"].includes(name)) node[name] = value;
  else node.setAttribute(name, value === true ? "" : String(value));
}

function flat(children) {
  return children.flat(Infinity).filter((c) => c !== null && c !== undefined && c !== false);
}

// Bring a container's children in line with a list, keeping nodes whose key and content stayed the same.
export function keyed(container, items, keyOf, signatureOf, draw) {
  const old = new Map([...container.children].map((n) => [n.dataset.key, n]));
  const wanted = items.map((item) => {
    const key = String(keyOf(item));
    const signature = signatureOf(item);
    const kept = old.get(key);
    if (kept && kept.signature === signature) return kept;
    const node = draw(item);
    node.dataset.key = key;
    node.signature = signature;
    return node;
  });
  const stay = new Set(wanted);
  for (const node of [...container.children]) if (!stay.has(node)) node.remove();
  wanted.forEach((node, i) => {
    if (container.children[i] !== node) container.insertBefore(node, container.children[i] ?? null);
  });
}

// Replace what a container holds, but only if its content would differ.
export function filled(container, signature, draw) {
  if (container.signature === signature) return false;
  container.signature = signature;
  container.replaceChildren(...flat([draw()]));
  return true;
}

const SVG = "http://www.w3.org/2000/svg";

// Small line icons, drawn on a 20 × 20 grid.
const PATHS = {
  hash: "M7.5 3 6 17M14 3l-1.5 14M3.5 7.5h14M2.5 12.5h14",
  lock: "M5 9h10v8H5zM7 9V6.5a3 3 0 0 1 6 0V9",
  close: "M5 5l10 10M15 5 5 15",
  send: "M3 4l14 6-14 6 2.5-6zM5.5 10H11",
  menu: "M3 6h14M3 10h14M3 14h14",
  more: "M4.5 10h.01M10 10h.01M15.5 10h.01",
  bolt: "M11 2 4 11.5h5L8.5 18 16 8.5h-5z",
  thread: "M4 4h12v9H9l-4 3.5V13H4z",
  eye: "M2 10s3-5 8-5 8 5 8 5-3 5-8 5-8-5-8-5zM10 8a2 2 0 1 0 0 4 2 2 0 0 0 0-4z",
  warning: "M10 3 1.8 17h16.4zM10 8v4M10 14.5h.01",
  home: "M3 9.5 10 4l7 5.5V17h-5v-4H8v4H3z",
  trash: "M4 6h12M8 6V4h4v2M5.5 6l.8 11h7.4l.8-11",
  connect: "M8 6 4 10l4 4M12 6l4 4-4 4",
  back: "M12 4 6 10l6 6",
  info: "M10 2.5a7.5 7.5 0 1 0 0 15 7.5 7.5 0 0 0 0-15zM10 9v5M10 6.2h.01",
};

export function icon(name, label = "") {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 20 20");
  svg.setAttribute("class", `icon icon-${name}`);
  if (label) {
    svg.setAttribute("role", "img");
    svg.setAttribute("aria-label", label);
  } else {
    svg.setAttribute("aria-hidden", "true");
  }
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("d", PATHS[name]);
  svg.append(path);
  return svg;
}

// Keep Tab inside a dialog, and call `leave` on Escape.
export function trapFocus(dialog, leave) {
  dialog.addEventListener("keydown", (event) => {
    if (event.key === "Escape") {
      event.preventDefault();
      event.stopPropagation();
      leave();
      return;
    }
    if (event.key !== "Tab") return;
    const stops = [...dialog.querySelectorAll("button,input,select,textarea,a[href],[tabindex='0']")]
      .filter((n) => !n.disabled && n.getClientRects().length);
    if (!stops.length) return;
    const first = stops[0];
    const last = stops[stops.length - 1];
    if (event.shiftKey && (document.activeElement === first || document.activeElement === dialog)) {
      event.preventDefault();
      last.focus();
    } else if (!event.shiftKey && document.activeElement === last) {
      event.preventDefault();
      first.focus();
    }
  });
}
