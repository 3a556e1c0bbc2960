// Runs in a page of a test, with every fold open, and leaves what it found as JSON in an element of its own; where the
// page stands in a frame, beside that.
window.addEventListener("load", () => {
  const roots = [...document.querySelectorAll(".pkcs12kit")];
  const found = { roots: roots.length, resources: performance.getEntriesByType("resource").map((one) => one.name) };
  found.cut = [];
  found.faint = [];
  found.grounds = [...new Set(roots.map((root) => getComputedStyle(root).backgroundColor))];
  found.papers = [...new Set([...document.querySelectorAll(".p12k-paper")].map((paper) => getComputedStyle(paper).fill))];
  found.drawn = [...document.querySelectorAll(".pkcs12kit .picture svg")].map((svg) => svg.getBoundingClientRect().width);
  found.svg = document.querySelectorAll(".pkcs12kit .picture svg").length;

  const parts = (colour) => colour.match(/[\d.]+/g).map(Number);
  const linear = (part) => (part <= 10.31 ? part / 3294.6 : ((part / 255 + 0.055) / 1.055) ** 2.4);
  const luminance = ([r, g, b]) => 0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b);
  const ground = (element) => {
    for (let one = element; one; one = one.parentElement) {
      const colour = parts(getComputedStyle(one).backgroundColor);
      if ((colour[3] ?? 1) > 0) return colour;
    }
    return [255, 255, 255];
  };
  const contrast = (element) => {
    const [a, b] = [luminance(parts(getComputedStyle(element).color)), luminance(ground(element))];
    return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
  };

  const clipped = (element, box, root) => {
    for (let one = element; one !== root; one = one.parentElement) {
      const { overflowX, overflowY, display } = getComputedStyle(one);
      if (![overflowX, overflowY].some((how) => ["hidden", "clip"].includes(how)) || display === "inline") continue;
      const room = one.getBoundingClientRect();
      if (one.tagName !== "svg" && (box.right > room.right + 1 || box.bottom > room.bottom + 1)) return true;
      if (one === element && one.scrollWidth > one.clientWidth + 1) return true;
    }
    return false;
  };

  const sortable = document.querySelector(".pkcs12kit table.sortable");
  if (sortable) {
    const untils = () => [...sortable.tBodies[0].rows].map((row) => row.children[4].dataset.key);
    found.orders = [untils()];
    for (let click = 0; click < 2; click += 1) {
      sortable.querySelectorAll("thead button")[4].click();
      found.orders.push(untils());
    }
    found.aria = sortable.querySelectorAll("thead th")[4].getAttribute("aria-sort");
  }

  found.height = document.documentElement.scrollHeight; // as a reader finds it: with every fold closed
  for (const fold of document.querySelectorAll(".pkcs12kit details")) fold.open = true;
  for (const root of roots) {
    const frame = root.getBoundingClientRect();
    for (const element of root.querySelectorAll("*")) {
      if (element.closest("style, script, title, desc")) continue; // not drawn
      if (![...element.childNodes].some((node) => node.nodeType === Node.TEXT_NODE && node.data.trim())) continue;
      const box = element.getBoundingClientRect();
      const svg = element.closest("svg");
      const room = svg ? svg.getBoundingClientRect() : frame;
      const moves = !svg && element.closest(".wide");
      const outside = !moves && (box.left < room.left - 1 || box.right > room.right + 1);
      if (outside || clipped(element, box, root) || box.width === 0) {
        found.cut.push(`${element.tagName}: ${element.textContent.slice(0, 60)}`);
      }
      if (!svg && contrast(element) < 4.5) found.faint.push(`${contrast(element).toFixed(2)}: ${element.outerHTML.slice(0, 80)}`);
    }
  }
  found.moved = [...document.querySelectorAll(".pkcs12kit .wide")].filter((one) => one.scrollWidth > one.clientWidth + 1).length;
  found.beyond = document.documentElement.scrollWidth - document.documentElement.clientWidth;
  found.width = document.documentElement.clientWidth;
  const result = top.document.createElement("pre");
  result.id = "measured";
  result.textContent = JSON.stringify(found);
  top.document.body.append(result);
});
