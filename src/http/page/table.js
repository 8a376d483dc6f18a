// A table that changes every second while an operator reads it, and perhaps uses it. Rows keep
// their elements, and the table keeps order, filter, focus and scroll position.

import { create, setAttribute, setData, setNotice, setText } from "./dom.js";
import { formatCount } from "./format.js";

const collator = new Intl.Collator("en", { numeric: true });

/** Unknown values come last in either direction. */
function compare(a, b, direction) {
  if (a === null || b === null) {
    return (a === null) - (b === null);
  }
  return direction * (typeof a === "number" ? a - b : collator.compare(a, b));
}

/**
 * A row has an `id`, a text to `search`, `data` attributes and the values that its columns read.
 * A column has:
 * - `title`, and `isAmount` if its values are amounts;
 * - `value(row)`: what to sort by, a number or a string, null if unknown;
 * - `text(row)`;
 * - optionally `mark(row)`, how the cell stands out, and `hint(row)`, why.
 */
export class Table {
  #columns;
  #what;
  #head;
  #body;
  #rowCount;
  #link;
  #nothing;
  #filter = "";
  #sorted = { column: 0, direction: 1 };
  #rows = [];
  #total = 0;
  #elements = new Map();

  constructor(section, what, columns) {
    this.#columns = columns;
    this.#what = what;
    this.#head = section.querySelector("thead tr");
    this.#body = section.querySelector("tbody");
    this.#rowCount = section.querySelector(".row-count");
    this.#link = section.querySelector(".panel-head a");
    this.#nothing = section.querySelector(".nothing");
    columns.forEach((column, i) => this.#addHeader(column, i));
    this.#showSorted();
    section.querySelector("input").addEventListener("input", (event) => {
      this.#filter = event.target.value.trim().toLowerCase();
      this.#render();
    });
  }

  /** `rows` are those that the daemon sent, out of `total`. */
  update(rows, total) {
    this.#rows = rows;
    this.#total = total;
    this.#render();
  }

  #addHeader(column, index) {
    const header = this.#head.appendChild(create("th", column.isAmount ? "amount" : ""));
    header.scope = "col";
    const button = header.appendChild(create("button"));
    button.type = "button";
    button.textContent = column.title;
    button.addEventListener("click", () => this.#sortBy(index));
  }

  #sortBy(index) {
    const { column, direction } = this.#sorted;
    // Operators look for large amounts.
    const first = this.#columns[index].isAmount ? -1 : 1;
    this.#sorted = { column: index, direction: column === index ? -direction : first };
    this.#showSorted();
    this.#render();
  }

  #showSorted() {
    const { column, direction } = this.#sorted;
    [...this.#head.cells].forEach((header, i) => {
      const order = direction > 0 ? "ascending" : "descending";
      setAttribute(header, "aria-sort", i === column ? order : "none");
    });
  }

  #chosenRows() {
    const { value } = this.#columns[this.#sorted.column];
    const { direction } = this.#sorted;
    return this.#rows
      .filter((row) => row.search.toLowerCase().includes(this.#filter))
      .sort((a, b) => compare(value(a), value(b), direction) || collator.compare(a.id, b.id));
  }

  #render() {
    const rows = this.#chosenRows();
    const gone = new Map(this.#elements);
    let place = this.#body.firstElementChild;
    for (const row of rows) {
      const element = this.#elements.get(row.id) ?? this.#addRow(row.id);
      gone.delete(row.id);
      this.#fill(element, row);
      if (element === place) {
        place = place.nextElementSibling;
      } else {
        this.#body.insertBefore(element, place);
      }
    }
    for (const [id, element] of gone) {
      element.remove();
      this.#elements.delete(id);
    }
    this.#showCounts(rows.length);
  }

  #addRow(id) {
    const element = create("tr");
    setData(element, "id", id);
    for (const { isAmount } of this.#columns) {
      const name = element.cells.length === 0 ? "th" : "td";
      element.appendChild(create(name, isAmount ? "amount" : ""));
    }
    element.cells[0].scope = "row";
    this.#elements.set(id, element);
    return element;
  }

  #fill(element, row) {
    for (const [key, value] of Object.entries(row.data)) {
      setData(element, key, value);
    }
    this.#columns.forEach(({ text, mark, hint }, i) => {
      const cell = element.cells[i];
      setText(cell, text(row));
      if (mark) {
        setData(cell, "mark", mark(row));
        setAttribute(cell, "title", hint?.(row) ?? "");
      }
    });
  }

  #showCounts(shown) {
    const known = this.#rows.length;
    const isPartial = this.#total > known;
    const counts = isPartial
      ? `the first ${formatCount(known)}; all ${formatCount(this.#total)} are at`
      : formatCount(known);
    setText(this.#rowCount,
            this.#filter ? `${formatCount(shown)} matching, of ${counts}` : counts);
    this.#link.hidden = !isPartial;
    const nothing = known === 0 ? `No ${this.#what} yet.` : `No ${this.#what} match the filter.`;
    setNotice(this.#nothing, shown === 0 ? nothing : "");
  }
}
