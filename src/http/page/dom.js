// Small changes to the document. They write nothing that is there already: a screen reader would
// announce it again, and a selection in it would be lost.

export const byId = (id) => document.getElementById(id);

export function create(name, className = "") {
  const element = document.createElement(name);
  element.className = className;
  return element;
}

export function setText(element, text) {
  if (element.textContent !== text) {
    element.textContent = text;
  }
}

export function setData(element, key, value) {
  if (element.dataset[key] !== value) {
    element.dataset[key] = value;
  }
}

export function setAttribute(element, name, value) {
  if (element.getAttribute(name) !== value) {
    element.setAttribute(name, value);
  }
}

/** Shows a text, or hides the element if the text is empty. */
export function setNotice(element, text) {
  setText(element, text);
  element.hidden = text === "";
}
