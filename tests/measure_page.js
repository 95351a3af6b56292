// What a reader would stumble over on a page: texts that overlap or are cut, pictures that are missing, faint letters.
// The tests put this into a page of their own that shows the page under test at several widths.

const OVERLAP = 0.35;  // of the height of the lower line: lines of one text touch by less

function lines(node) {
  const range = node.ownerDocument.createRange();
  range.selectNodeContents(node);
  return [...range.getClientRects()].filter((box) => box.width > 1 && box.height > 1);
}

function texts(doc) {
  const walker = doc.createTreeWalker(doc.body, NodeFilter.SHOW_TEXT), found = [];
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    if (node.data.trim() === "") continue;
    for (const box of lines(node)) found.push({ node, box, words: node.data.trim().slice(0, 60) });
  }
  return found;
}

function overlap(one, other) {
  const wide = Math.min(one.right, other.right) - Math.max(one.left, other.left);
  const tall = Math.min(one.bottom, other.bottom) - Math.max(one.top, other.top);
  return wide > 1 && tall > OVERLAP * Math.min(one.height, other.height);
}

function overlaps(boxes) {
  const found = [], sorted = [...boxes].sort((one, other) => one.box.top - other.box.top);
  sorted.forEach((one, place) => {
    for (let next = place + 1; next < sorted.length && sorted[next].box.top < one.box.bottom; next += 1) {
      const other = sorted[next];
      if (one.node !== other.node && overlap(one.box, other.box)) found.push(`${one.words} | ${other.words}`);
    }
  });
  return found;
}

function holder(element) {
  return element.closest("td, th, li, dd, dt, p, h1, h2, h3, h4, figcaption, caption, pre, footer, div, body");
}

function cut(window, boxes) {
  return boxes.filter(({ node, box }) => {
    const around = holder(node.parentElement).getBoundingClientRect();
    const beside = box.right > around.right + 1 || box.left < around.left - 1;
    const scrolls = node.parentElement.closest(".scroll");
    const free = scrolls !== null && window.getComputedStyle(scrolls).overflowX === "auto";
    return beside || (!free && box.right > window.innerWidth + 1);
  }).map(({ words }) => words);
}

function channels(colour) {
  return colour.match(/[\d.]+/g).map(Number);
}

function luminance(colour) {
  const [red, green, blue] = channels(colour).slice(0, 3).map((part) => {
    const share = part / 255;
    return share <= 0.03928 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

function behind(window, element) {
  for (let each = element; each; each = each.parentElement) {
    const colour = window.getComputedStyle(each).backgroundColor;
    if (channels(colour)[3] !== 0) return colour;
  }
  return "rgb(255, 255, 255)";
}

function faint(window, boxes) {
  return boxes.filter(({ node }) => {
    const ink = luminance(window.getComputedStyle(node.parentElement).color);
    const paper = luminance(behind(window, node.parentElement));
    return (Math.max(ink, paper) + 0.05) / (Math.min(ink, paper) + 0.05) < 4.5;  // WCAG 2.2, level AA
  }).map(({ words }) => words);
}

function measured(window) {
  const doc = window.document, boxes = texts(doc), pictures = [...doc.images];
  const shown = pictures.map((node) => ({ node, box: node.getBoundingClientRect(), words: node.alt }));
  return {
    width: window.innerWidth,
    dark: window.matchMedia("(prefers-color-scheme: dark)").matches,
    texts: boxes.length,
    pictures: pictures.length,
    paper: behind(window, doc.body),
    overlaps: overlaps([...boxes, ...shown]),
    cut: cut(window, boxes),
    wider: Math.max(doc.documentElement.scrollWidth - window.innerWidth, 0),
    missing: pictures.filter((each) => !each.complete || each.naturalWidth === 0).map((each) => each.alt),
    faint: faint(window, boxes),
    tallest: Math.max(0, ...[...doc.querySelectorAll("figure")].map((each) => each.getBoundingClientRect().height)),
    widest: Math.max(0, ...pictures.map((each) => each.getBoundingClientRect().right)),
    active: [...doc.querySelectorAll("script, iframe, object, embed, link, base, form, a")].map((each) => each.outerHTML),
  };
}

window.onload = () => {
  const found = [...document.querySelectorAll("iframe")].map((frame) => [frame.name, measured(frame.contentWindow)]);
  document.getElementById("found").textContent = JSON.stringify(found);
};
