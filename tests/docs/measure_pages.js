// Opens page after page in a frame of one width, and says of each what sticks out of it and what it loaded.
const { pages, width } = JSON.parse(document.getElementById("given").textContent);

// Whether it is in a box that scrolls by itself. The article does not count: there the whole text would move.
function scrolls(element) {
  for (let box = element.parentElement; box.tagName !== "ARTICLE"; box = box.parentElement) {
    if (["auto", "scroll"].includes(getComputedStyle(box).overflowX)) return true;
  }
  return false;
}

async function measure(page) {
  const frame = document.createElement("iframe");
  Object.assign(frame, { src: page, width, height: 1000 });
  document.body.append(frame);
  await new Promise((loaded) => { frame.onload = loaded; });
  const inside = frame.contentDocument;
  const end = inside.documentElement.clientWidth;
  const beyond = [...inside.querySelectorAll("article *")].filter((element) => {
    const box = element.getBoundingClientRect();
    return box.width > 0 && box.right > end + 1 && !scrolls(element);
  });
  const found = {
    page,
    wider: inside.documentElement.scrollWidth - end,
    beyond: beyond.map((element) => element.textContent.trim().slice(0, 60)),
    loaded: frame.contentWindow.performance.getEntriesByType("resource").map((one) => one.name),
    ground: getComputedStyle(inside.body).backgroundColor,
    pictures: inside.querySelectorAll("article svg.p12k-picture").length,
  };
  frame.remove();
  return found;
}

(async () => {
  const found = [];
  for (const page of pages) found.push(await measure(page));
  const output = document.createElement("pre");
  output.id = "measured";
  output.textContent = JSON.stringify(found);
  document.body.append(output);
})();
