// Reports that come while the page is open, and keys. Everything on the page works without this.
// What is read never moves: news stand in a place that was kept free for them, and focus stays where it is.

const bar = document.getElementById("live");

if (bar && window.EventSource) {
  const link = document.getElementById("live-link");
  const urgent = document.getElementById("live-urgent");
  const source = new EventSource(`/console/live?since=${bar.dataset.since}`);
  let told = 0;
  source.addEventListener("arrived", (event) => {
    const news = JSON.parse(event.data);
    if (news.n === told) return;
    told = news.n;
    link.textContent = news.told;
    link.hidden = false;
    if (news.urgent && news.urgent !== urgent.textContent) {
      urgent.textContent = news.urgent;
      tone();
    }
  });
  source.addEventListener("changed", (event) => {
    const news = JSON.parse(event.data);
    const line = document.querySelector(`[data-id="${CSS.escape(news.id)}"]`);
    if (!line) return;
    line.querySelector(".state").textContent = news.state;
    line.querySelector(".changed").textContent = news.told;
  });
  source.addEventListener("over", (event) => {
    source.close();
    link.textContent = JSON.parse(event.data).told;
    link.hidden = false;
  });
  // A page that is left behind (history) does not hold its place.
  addEventListener("pagehide", () => source.close());
}

// One tone. A browser that wants a touch first stays silent: the words say it too.
function tone() {
  try {
    const sound = new AudioContext();
    const voice = sound.createOscillator();
    const loud = sound.createGain();
    loud.gain.value = 0.2;
    voice.frequency.value = 660;
    voice.connect(loud).connect(sound.destination);
    voice.start();
    voice.stop(sound.currentTime + 0.4);
    voice.onended = () => sound.close();
  } catch { /* no sound here */ }
}

const help = document.getElementById("keys");
const OFF = "yenban-keys-off";
const off = document.getElementById("keys-off");
if (off) {
  off.checked = localStorage.getItem(OFF) !== null;
  off.addEventListener("change", () => (off.checked ? localStorage.setItem(OFF, "1") : localStorage.removeItem(OFF)));
}

function step(by) {
  const lines = [...document.querySelectorAll(".cards h2 a")];
  if (!lines.length) return;
  const here = lines.findIndex((line) => line.closest("li").contains(document.activeElement));
  lines[here < 0 ? 0 : Math.min(Math.max(here + by, 0), lines.length - 1)].focus();
}

function open(id) {
  const field = document.getElementById(id);
  if (!field) return;
  const folded = field.closest("details");
  if (folded) folded.open = true;
  field.focus();
}

let going = false;
addEventListener("keydown", (event) => {
  const at = event.target;
  // Idle in fields, with other keys held, and while an input method (Telex) puts a letter together.
  if (event.ctrlKey || event.altKey || event.metaKey || event.isComposing || event.defaultPrevented) return;
  if (at.closest("input:not([type=radio]):not([type=checkbox]), textarea, select, [contenteditable]")) return;
  if (localStorage.getItem(OFF) !== null && event.key !== "?") return;
  if (help && help.open) return;
  if (going) {
    going = false;
    const place = document.querySelectorAll(".places a")[Number(event.key) - 1];
    if (place) { event.preventDefault(); place.click(); }
    return;
  }
  const line = document.activeElement && document.activeElement.closest(".cards li");
  const act = {
    j: () => step(1),
    k: () => step(-1),
    r: () => ((line || document).querySelector("[data-key=r]") || { click() {} }).click(),
    a: () => open("to"),
    c: () => open("note"),
    "/": () => open("q"),
    "?": () => help && help.showModal(),
    g: () => { going = true; },
  }[event.key];
  // On the list, taking note needs a line: nothing is taken by a key that meant another.
  if (!act || (event.key === "r" && document.querySelector(".cards") && !line)) return;
  event.preventDefault();
  act();
});
