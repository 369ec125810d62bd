// Measures the pages in this document's frames and appends what it found, as JSON.

const box = (element) => element.getBoundingClientRect();
const visible = (element) => element.getClientRects().length > 0;
const all = (root, selector) => [...root.querySelectorAll(selector)];
const beside = (a, b) => a.right <= b.left || b.right <= a.left;
const below = (a, b) => a.bottom <= b.top + 2 || b.bottom <= a.top + 2;
const within = (a, b) => a.left >= b.left - 1 && a.right <= b.right + 1;

const overlaps = (texts) =>
  texts.flatMap((text, index) =>
    texts
      .slice(index + 1)
      .filter((other) => !beside(box(text), box(other)) && !below(box(text), box(other)))
      .map((other) => [text.textContent, other.textContent]),
  );

const sticksOut = (container, frame) =>
  all(container, "text")
    .filter((text) => !within(box(text), box(frame)))
    .map((text) => text.textContent);

const named = (page, picture) =>
  picture
    .getAttribute("aria-labelledby")
    .split(" ")
    .every((id) => page.getElementById(id).textContent);

function measure(frame) {
  const page = frame.contentDocument;
  all(page, "details").forEach((details) => (details.open = true));
  const pictures = all(page, "svg[role=img]");
  const seen = pictures.filter(visible);
  const ids = all(page, "[id]").map((element) => element.id);
  return {
    width: page.documentElement.scrollWidth,
    pictures: seen.length,
    letters: Math.min(...seen.flatMap((picture) => all(picture, "text").map((text) => box(text).height))),
    overlaps: seen.flatMap((picture) => overlaps(all(picture, "text"))),
    outside: [
      ...seen.flatMap((picture) => sticksOut(picture, picture)),
      ...seen.flatMap((picture) => all(picture, ".nat, .table")).flatMap((g) => sticksOut(g, g.querySelector("rect"))),
    ],
    nameless: pictures.filter((picture) => !named(page, picture)).length,
    twice: ids.filter((id, index) => ids.indexOf(id) !== index),
    headings: all(page, "h1, h2, h3, h4").map((heading) => Number(heading.tagName[1])),
    elements: [...new Set(all(page, "*").map((element) => element.localName))],
    requests: frame.contentWindow.performance.getEntriesByType("resource").map((entry) => entry.name),
  };
}

addEventListener("load", () => {
  const results = document.createElement("pre");
  results.id = "measured";
  const frames = all(document, "iframe").map((frame) => [frame.title, measure(frame)]);
  results.textContent = JSON.stringify(Object.fromEntries(frames));
  document.body.append(results);
});
