// Runs in an SVG of a test that is opened as a file of its own, and leaves what it found as JSON in a text of its own.
window.addEventListener("load", () => {
  const svg = document.documentElement;
  const found = { resources: performance.getEntriesByType("resource").map((one) => one.name), cut: [], over: [], faint: [] };
  const paper = svg.querySelector(".p12k-paper");
  const boxes = [...svg.querySelectorAll("rect")].filter((rect) => rect !== paper);
  const texts = [...svg.querySelectorAll("text")].filter((text) => text.textContent.trim());

  const parts = (colour) => colour.match(/[\d.]+/g).map(Number);
  const linear = (part) => (part <= 10.31 ? part / 3294.6 : ((part / 255 + 0.055) / 1.055) ** 2.4);
  const luminance = ([r, g, b]) => 0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b);
  const contrast = (one, other) => {
    const [a, b] = [one, other].map((element) => luminance(parts(getComputedStyle(element).fill)));
    return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
  };
  // Letters do not fill the line that they stand in: a quarter of its height is air above and below.
  const inked = (text) => {
    const { left, right, top, bottom, height } = text.getBoundingClientRect();
    return { left, right, top: top + height / 4, bottom: bottom - height / 4 };
  };
  const apart = (one, other) =>
    one.right <= other.left + 1 || other.right <= one.left + 1 || one.bottom <= other.top || other.bottom <= one.top;
  const holds = (room, box) =>
    box.left >= room.left - 1 && box.right <= room.right + 1 && box.top >= room.top - 1 && box.bottom <= room.bottom + 1;

  const whole = paper.getBoundingClientRect();
  const rooms = boxes.map((rect) => [rect, rect.getBoundingClientRect()]);
  const places = texts.map((text) => [text, inked(text)]);
  const told = (text) => text.textContent.slice(0, 60);
  for (const [text, place] of places) {
    const own = text.parentNode.querySelector(":scope > rect");
    const ground = own && own !== paper ? own : paper;
    if (!holds(ground === paper ? whole : own.getBoundingClientRect(), place)) found.cut.push(told(text));
    for (const [rect, room] of rooms) if (rect !== ground && !apart(place, room)) found.over.push(`${told(text)} on a box`);
    if (contrast(text, ground) < 4.5) found.faint.push(`${contrast(text, ground).toFixed(2)}: ${told(text)}`);
  }
  places.forEach(([text, place], number) => {
    for (const [other, beside] of places.slice(number + 1)) {
      if (!apart(place, beside)) found.over.push(`${told(text)} on ${told(other)}`);
    }
  });
  for (const line of svg.querySelectorAll("path.p12k-line")) {
    const { left, right, top, bottom } = line.getBoundingClientRect();
    if (!holds(whole, { left, right, top, bottom })) found.cut.push(`a line: ${line.getAttribute("d").slice(0, 60)}`);
  }
  found.texts = texts.length;
  found.ground = getComputedStyle(paper).fill;
  const result = document.createElementNS("http://www.w3.org/2000/svg", "desc");
  result.id = "measured";
  result.textContent = JSON.stringify(found);
  svg.append(result);
});
