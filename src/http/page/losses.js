// What was lost or has ended, by reason. The daemon names the reasons; the page knows none.

import { byId, create, setData, setText } from "./dom.js";
import { formatCount, formatReason, formatScaled } from "./format.js";
import { recentSeconds } from "./model.js";

/** A list of counts by reason. `read` finds the counts in a snapshot. */
export class ReasonList {
  #list;
  #total;
  #read;
  #items = new Map();

  constructor(id, read) {
    this.#list = byId(id);
    this.#total = byId(`${id}-total`);
    this.#read = read;
  }

  update(model) {
    const counts = this.#read(model.current);
    for (const [reason, count] of Object.entries(counts)) {
      this.#show(reason, count, model.growth((snapshot) => this.#read(snapshot)[reason] ?? 0));
    }
    const total = Object.values(counts).reduce((sum, n) => sum + n, 0);
    setText(this.#total, total > 0 ? formatCount(total) : "none");
  }

  #show(reason, count, growth) {
    const item = this.#items.get(reason) ?? this.#add(reason);
    setData(item.element, "value", String(count));
    setData(item.element, "recent", String(growth > 0));
    setText(item.count, formatCount(count));
    setText(item.growth, growth > 0 ? `▲ +${formatScaled(growth)} in ${recentSeconds} s` : "");
  }

  #add(reason) {
    const element = this.#list.appendChild(create("li"));
    setData(element, "reason", reason);
    setText(element.appendChild(create("span")), formatReason(reason));
    const item = {
      element,
      growth: element.appendChild(create("em")),
      count: element.appendChild(create("span", "count")),
    };
    this.#items.set(reason, item);
    return item;
  }
}
