// A button with a menu of named things to do.

import { h, icon } from "./dom.js";
import { menuKeys } from "./elements.js";

// `items` gives [{name, run}] at the moment of opening; `mark` is the button's icon, `words` its name.
export function menu({ mark, words, testid, items, up = false }) {
  const list = h("div", { class: `popup${up ? " up" : ""}`, role: "menu", hidden: true });
  const opener = h("button", { type: "button", class: "quiet", "aria-label": words, title: words, "aria-haspopup": "menu", "aria-expanded": "false", data: { testid } }, icon(mark));
  const show = (open) => {
    list.replaceChildren(...items().map((one) => h("button", {
      type: "button", role: "menuitem", onclick: () => { show(false); opener.focus(); one.run(); },
    }, one.name)));
    list.hidden = !open || !list.children.length;
    opener.setAttribute("aria-expanded", String(!list.hidden));
    if (!list.hidden) list.firstChild.focus();
  };
  opener.addEventListener("click", () => show(list.hidden));
  const root = h("span", { class: "overflow" }, opener, list);
  root.addEventListener("keydown", (event) => menuKeys(event, list, () => { show(false); opener.focus(); }));
  root.addEventListener("focusout", (event) => { if (!root.contains(event.relatedTarget)) show(false); });
  return root;
}
