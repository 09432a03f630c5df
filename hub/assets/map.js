// The console's maps. Everything comes from this hub: the library, the names of communes, the data, and a base map if the
// operator put one there. Letters are drawn by the browser itself, so no server of letters is asked. Everything a map
// shows also stands on the page in words; without scripts, or without WebGL, nothing is missing.

import * as gl from "/console/assets/vendor/maplibre-gl-6.17.0.mjs";

gl.setWorkerUrl(new URL("/console/assets/vendor/maplibre-gl-worker-6.17.0.mjs", location.href).href);

const EARTH_M = 6371008.8;
const EMPTY = { type: "FeatureCollection", features: [] };
// Viet Nam with its seas, when a hub knows no place of its own.
const COUNTRY = [[101.8, 7.9], [117.6, 23.5]];
const FONT = ["system-ui"];
const REFRESH_MS = 60000;
const STEPS = [10, 5, 2, 1, 0.5, 0.2, 0.1, 0.05, 0.02, 0.01, 0.005, 0.002, 0.001];

const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
const rounded = (degrees) => degrees.toFixed(5).replace(/0+$/, "").replace(/\.$/, "");
const point = (lon, lat, properties) => ({ type: "Feature", geometry: { type: "Point", coordinates: [lon, lat] }, properties });
const collection = (features) => ({ type: "FeatureCollection", features });

function metres([lonA, latA], [lonB, latB]) {
  const rad = Math.PI / 180;
  const half = (x) => Math.sin((x * rad) / 2) ** 2;
  const chord = half(latB - latA) + Math.cos(latA * rad) * Math.cos(latB * rad) * half(lonB - lonA);
  return 2 * EARTH_M * Math.asin(Math.min(1, Math.sqrt(chord)));
}

// A circle as a closed ring of 48 corners.
function ring([lon, lat], radius) {
  const north = (radius / EARTH_M) * (180 / Math.PI);
  const east = north / Math.max(0.01, Math.cos((lat * Math.PI) / 180));
  return Array.from({ length: 49 }, (_, n) => {
    const turn = (n / 48) * 2 * Math.PI;
    return [lon + east * Math.sin(turn), lat + north * Math.cos(turn)];
  });
}

const polygon = (ringed, properties = {}) => ({ type: "Feature", geometry: { type: "Polygon", coordinates: [ringed] }, properties });

// ---- marks: the shapes of the console, drawn once in the colours of the hour -------------------------------------------

function drawn(size, draw) {
  const scale = 2;
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = size * scale;
  const pen = canvas.getContext("2d");
  pen.scale(scale, scale);
  pen.lineJoin = "round";
  pen.textAlign = "center";
  pen.textBaseline = "middle";
  draw(pen);
  return pen.getImageData(0, 0, size * scale, size * scale);
}

function shape(pen, corners, fill, stroke, width) {
  pen.beginPath();
  corners.forEach(([x, y], n) => (n ? pen.lineTo(x, y) : pen.moveTo(x, y)));
  pen.closePath();
  pen.fillStyle = fill;
  pen.fill();
  pen.strokeStyle = stroke;
  pen.lineWidth = width;
  pen.stroke();
}

const OCTAGON = [[9, 2], [19, 2], [26, 9], [26, 19], [19, 26], [9, 26], [2, 19], [2, 9]];
const SQUARE = [[5, 5], [23, 5], [23, 23], [5, 23]];

const MARKS = {
  urgent: () => drawn(28, (pen) => {
    shape(pen, OCTAGON, colour("urgent"), colour("surface"), 1.5);
    pen.fillStyle = colour("on-urgent");
    pen.font = "700 14px system-ui, sans-serif";
    pen.fillText("!!", 14, 14.5);
  }),
  plain: () => drawn(28, (pen) => shape(pen, SQUARE, colour("surface"), colour("text"), 2.5)),
  cap: () => drawn(20, (pen) => {
    pen.strokeStyle = colour("caution");
    pen.lineWidth = 3.5;
    pen.beginPath();
    pen.moveTo(10, 2);
    pen.lineTo(10, 18);
    pen.moveTo(10, 10);
    pen.lineTo(4, 10);
    pen.stroke();
  }),
  start: () => drawn(20, (pen) => {
    pen.beginPath();
    pen.arc(10, 10, 7, 0, 7);
    pen.fillStyle = colour("primary");
    pen.fill();
    pen.strokeStyle = colour("surface");
    pen.lineWidth = 2;
    pen.stroke();
  }),
  finish: () => drawn(20, (pen) => shape(pen, [[4, 4], [16, 4], [16, 16], [4, 16]], colour("primary"), colour("surface"), 2)),
  walking: () => drawn(24, (pen) => shape(pen, [[12, 2], [22, 21], [2, 21]], colour("primary"), colour("surface"), 2)),
};

// ---- ground ------------------------------------------------------------------------------------------------------------

function communes(csv) {
  const found = [];
  const provinces = new Map();
  for (const line of csv.split("\n").slice(1)) {
    const [code, name, province, lat, lon, area] = line.split(",");
    if (!area || name.endsWith("Hoàng Sa") || name.endsWith("Trường Sa")) continue;
    found.push({ code, name: name.replace(/^(Xã|Phường|Thị trấn|Đặc khu) /, ""), lat: +lat, lon: +lon, ward: name.startsWith("Phường"), area: +area });
    const sum = provinces.get(province) ?? { lat: 0, lon: 0, area: 0 };
    sum.lat += lat * area;
    sum.lon += lon * area;
    sum.area += +area;
    provinces.set(province, sum);
  }
  const whole = [...provinces].map(([name, sum]) => point(sum.lon / sum.area, sum.lat / sum.area, { what: "province", label: name.replace(/^(Tỉnh|Thành phố) /, "") }));
  return { rows: found, features: whole.concat(found.map((c) => point(c.lon, c.lat, { what: "commune", label: c.name, order: c.ward ? 0 : 1 }))) };
}

// Lines of the net of degrees in the frame, with their figures at the left and at the foot.
function net(map) {
  const frame = map.getBounds();
  const [west, south, east, north] = [frame.getWest(), frame.getSouth(), frame.getEast(), frame.getNorth()];
  const step = STEPS.findLast((size) => (east - west) / size <= 7) ?? STEPS[0];
  const features = [];
  const first = (edge) => Math.ceil(edge / step) * step;
  const digits = Math.max(0, Math.ceil(-Math.log10(step)));
  const line = (coordinates) => features.push({ type: "Feature", geometry: { type: "LineString", coordinates }, properties: {} });
  const edge = (x, y) => map.unproject([x, y]);
  const box = map.getContainer();
  for (let lon = first(west); lon <= east; lon += step) {
    line([[lon, Math.max(-85, south)], [lon, Math.min(85, north)]]);
    features.push(point(lon, edge(0, box.clientHeight - 10).lat, { label: lon.toFixed(digits) }));
  }
  for (let lat = first(south); lat <= north; lat += step) {
    line([[west, lat], [east, lat]]);
    features.push(point(edge(20, 0).lng, lat, { label: lat.toFixed(digits) }));
  }
  return collection(features);
}

// Layers for a base map of the operator's: pictures as they are, shapes by what they are called in the usual schemes.
async function base() {
  await new Promise((done, failed) => {
    const script = document.createElement("script");
    script.nonce = document.querySelector("script[src$='/map.js']").nonce;
    script.src = "/console/assets/vendor/pmtiles-4.5.0.js";
    script.onload = done;
    script.onerror = failed;
    document.head.append(script);
  });
  const address = new URL("/console/map/base", location.href).href;
  const archive = new window.pmtiles.PMTiles(address);
  const protocol = new window.pmtiles.Protocol();
  protocol.add(archive);
  gl.addProtocol("pmtiles", protocol.tile);
  const [header, about] = [await archive.getHeader(), await archive.getMetadata()];
  const said = new DOMParser().parseFromString(about?.attribution ?? "", "text/html").body.textContent.trim();
  const shapes = header.tileType === window.pmtiles.TileType.Mvt;
  const source = { type: shapes ? "vector" : "raster", url: `pmtiles://${address}`, ...(shapes ? {} : { tileSize: 256 }) };
  return { source, said, layers: () => (shapes ? (about?.vector_layers ?? []).flatMap((layer) => vector(layer.id)) : [{ id: "base", type: "raster", source: "base" }]) };
}

function vector(id) {
  const is = (...names) => names.some((name) => id.toLowerCase().includes(name));
  const water = is("water", "ocean", "river");
  const [fill, line] = water ? [colour("info"), colour("info")] : is("road", "transport", "highway") ? [colour("hair"), colour("line")] : [colour("hair"), colour("hair")];
  const kind = (name) => ["==", ["geometry-type"], name];
  const common = { source: "base", "source-layer": id };
  return [
    { ...common, id: `${id}-fill`, type: "fill", filter: kind("Polygon"), paint: { "fill-color": fill, "fill-opacity": water ? 0.35 : 0.45 } },
    { ...common, id: `${id}-line`, type: "line", filter: kind("LineString"), paint: { "line-color": line, "line-width": water ? 1.2 : 1 } },
    { ...common, id: `${id}-name`, type: "symbol", filter: kind("Point"), layout: text(["coalesce", ["get", "name:vi"], ["get", "name"], ""], 12), paint: halo(colour("text-2")) },
  ];
}

const text = (field, size, more = {}) => ({ "text-field": field, "text-font": FONT, "text-size": size, "text-max-width": 9, ...more });
const halo = (ink) => ({ "text-color": ink, "text-halo-color": colour("wash"), "text-halo-width": 1.6 });

// ---- one map -----------------------------------------------------------------------------------------------------------

class Chart {
  constructor(box, ground, rows, under) {
    this.box = box;
    this.use = box.dataset.use;
    this.ground = ground;
    this.rows = rows;
    this.under = under;
    this.words = ground.words;
    this.shown = box.dataset.features ? JSON.parse(box.dataset.features) : EMPTY;
    this.area = EMPTY;
    box.hidden = false;
    this.map = new gl.Map({
      container: box,
      style: this.style(),
      bounds: this.whole(),
      fitBoundsOptions: { padding: 40, maxZoom: 16 },
      maxZoom: 20,
      attributionControl: false,
      dragRotate: false,
      pitchWithRotate: false,
      fadeDuration: 0,
      cooperativeGestures: this.use !== "commune",
      locale: {
        "Map.Title": box.getAttribute("aria-label"),
        "CooperativeGesturesHandler.WindowsHelpText": this.words.wheel,
        "CooperativeGesturesHandler.MacHelpText": this.words.wheel,
        "CooperativeGesturesHandler.MobileHelpText": this.words.touch,
      },
    });
    // The drawing surface is the landmark with this name from here on.
    box.removeAttribute("role");
    box.removeAttribute("aria-label");
    this.map.touchZoomRotate.disableRotation();
    this.map.keyboard.disableRotation();
    this.map.addControl(new gl.ScaleControl({ maxWidth: 110 }), "bottom-right");
    // With each style anew: the marks have the colours of the hour.
    this.map.on("style.load", () => {
      for (const [id, mark] of Object.entries(MARKS)) if (!this.map.hasImage(id)) this.map.addImage(id, mark(), { pixelRatio: 2 });
    });
    this.map.on("load", () => this.loaded());
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
      this.map.setStyle(this.style(), { diff: false });
      this.map.once("idle", () => this.put("net", net(this.map)));
    });
    this.buttons();
  }

  // Everything that matters here: what is shown, else the hamlets, else the commune, else the country.
  whole() {
    const places = this.shown.features.flatMap(({ geometry }) => (geometry.type === "Point" ? [geometry.coordinates] : geometry.coordinates));
    const hamlets = this.ground.hamlets.map(([, , lat, lon]) => [lon, lat]);
    const own = this.rows.rows.find((row) => row.code === this.ground.commune);
    const all = places.length ? places : hamlets.length ? hamlets : own ? ring([own.lon, own.lat], 6000) : COUNTRY;
    const bounds = all.reduce((sum, place) => sum.extend(place), new gl.LngLatBounds(all[0], all[0]));
    // One place is not blown up to nothing: 300 m around it are shown.
    return ring(bounds.getCenter().toArray(), 300).reduce((sum, place) => sum.extend(place), bounds);
  }

  style() {
    const [ink, second, wash] = [colour("text"), colour("text-2"), colour("wash")];
    const is = (...what) => ["in", ["get", "what"], ["literal", what]];
    const label = ["coalesce", ["get", "label"], ""];
    const accuracy = this.shown.features.filter((f) => f.properties.accuracy).map((f) => polygon(ring(f.geometry.coordinates, f.properties.accuracy)));
    const hamlets = this.ground.hamlets.map(([, name, lat, lon]) => point(lon, lat, { label: name }));
    const islands = [point(112.135, 16.568, { label: this.words.hoangSa }), point(114.45, 9.71, { label: this.words.truongSa })];
    const data = (features) => ({ type: "geojson", data: features });
    return {
      version: 8,
      sources: {
        ...(this.under ? { base: this.under.source } : {}),
        net: data(EMPTY),
        ground: data(collection(this.rows.features)),
        islands: data(collection(islands)),
        hamlets: data(collection(hamlets)),
        accuracy: data(collection(accuracy)),
        shown: data(this.shown),
        area: data(this.area),
      },
      layers: [
        { id: "wash", type: "background", paint: { "background-color": wash } },
        ...(this.under ? this.under.layers() : []),
        { id: "net", type: "line", source: "net", filter: ["==", ["geometry-type"], "LineString"], paint: { "line-color": colour("line"), "line-opacity": 0.35, "line-width": 0.8 } },
        { id: "area-fill", type: "fill", source: "area", filter: ["==", ["geometry-type"], "Polygon"], paint: { "fill-color": colour("caution"), "fill-opacity": 0.16 } },
        { id: "area-line", type: "line", source: "area", paint: { "line-color": colour("caution"), "line-width": 2.5, "line-dasharray": [3, 2] } },
        { id: "area-corner", type: "circle", source: "area", filter: ["==", ["geometry-type"], "Point"], paint: { "circle-radius": 5, "circle-color": colour("surface"), "circle-stroke-color": colour("caution"), "circle-stroke-width": 2.5 } },
        { id: "accuracy", type: "fill", source: "accuracy", paint: { "fill-color": colour("info"), "fill-opacity": 0.08, "fill-outline-color": colour("info") } },
        { id: "province", type: "symbol", source: "ground", filter: is("province"), maxzoom: 8, layout: text(label, 14), paint: halo(ink) },
        { id: "commune-dot", type: "circle", source: "ground", filter: is("commune"), minzoom: 8, paint: { "circle-radius": 2, "circle-color": second } },
        { id: "commune", type: "symbol", source: "ground", filter: is("commune"), minzoom: 8, layout: text(label, 13, { "text-variable-anchor": ["top", "bottom", "left", "right"], "text-radial-offset": 0.4, "symbol-sort-key": ["get", "order"] }), paint: halo(second) },
        { id: "islands", type: "symbol", source: "islands", layout: text(label, 14, { "text-allow-overlap": true, "text-ignore-placement": true }), paint: halo(ink) },
        { id: "hamlet-dot", type: "circle", source: "hamlets", minzoom: 8, paint: { "circle-radius": 3.5, "circle-color": colour("surface"), "circle-stroke-color": ink, "circle-stroke-width": 1.5 } },
        { id: "way", type: "line", source: "shown", filter: is("way"), layout: { "line-join": "round", "line-cap": "round" }, paint: { "line-color": colour("primary"), "line-width": 3.5 } },
        { id: "dot", type: "circle", source: "shown", filter: is("dot"), paint: { "circle-radius": 3, "circle-color": colour("surface"), "circle-stroke-color": colour("primary"), "circle-stroke-width": 1.5 } },
        { id: "net-figure", type: "symbol", source: "net", filter: ["==", ["geometry-type"], "Point"], layout: text(label, 11), paint: halo(second) },
        { id: "many", type: "circle", source: "shown", filter: is("many"), paint: { "circle-radius": ["interpolate", ["linear"], ["ln", ["get", "count"]], 1.6, 14, 9, 30], "circle-color": ["case", ["get", "urgent"], colour("urgent"), colour("surface")], "circle-stroke-color": ["case", ["get", "urgent"], colour("surface"), ink], "circle-stroke-width": 2 } },
        { id: "many-figure", type: "symbol", source: "shown", filter: is("many"), layout: text(label, 13, { "text-allow-overlap": true, "text-ignore-placement": true }), paint: { "text-color": ["case", ["get", "urgent"], colour("on-urgent"), ink] } },
        { id: "hamlet", type: "symbol", source: "hamlets", minzoom: 9, layout: text(label, 14, { "text-variable-anchor": ["top", "bottom", "right", "left"], "text-radial-offset": 0.5 }), paint: halo(ink) },
        { id: "ends", type: "symbol", source: "shown", filter: is("start", "finish", "walking"), layout: { ...text(label, 13, { "text-anchor": "top", "text-offset": [0, 0.9], "text-optional": true }), "icon-image": ["get", "what"], "icon-allow-overlap": true }, paint: halo(ink) },
        { id: "gap", type: "symbol", source: "shown", filter: is("gap"), layout: { ...text(label, 13, { "text-anchor": "bottom", "text-offset": [0, -0.9], "text-allow-overlap": true }), "icon-image": "cap", "icon-allow-overlap": true }, paint: halo(colour("caution")) },
        { id: "incident", type: "symbol", source: "shown", filter: is("incident"), layout: { ...text(["step", ["zoom"], "", 12, label], 13, { "text-anchor": "top", "text-offset": [0, 1.1], "text-optional": true }), "icon-image": ["case", ["get", "urgent"], "urgent", "plain"], "icon-allow-overlap": true, "symbol-sort-key": ["case", ["get", "urgent"], 1, 0] }, paint: halo(ink) },
      ],
    };
  }

  put(source, features) {
    this.map.getSource(source)?.setData(features);
  }

  loaded() {
    this.box.closest("figure")?.classList.add("drawn");
    this.map.on("moveend", () => this.put("net", net(this.map)));
    this.put("net", net(this.map));
    for (const layer of ["incident", "many"]) {
      this.map.on("mouseenter", layer, ({ features }) => {
        this.map.getCanvas().style.cursor = "pointer";
        this.say(features[0].properties.said);
      });
      this.map.on("mouseleave", layer, () => {
        this.map.getCanvas().style.cursor = "";
        this.say(this.sum);
      });
    }
    this.map.on("click", "incident", ({ features }) => features[0].properties.path && location.assign(features[0].properties.path));
    this.map.on("click", "many", ({ features }) => this.map.easeTo({ center: features[0].geometry.coordinates, zoom: this.map.getZoom() + 2 }));
    if (this.use === "commune") {
      let soon;
      this.map.on("moveend", () => {
        clearTimeout(soon);
        soon = setTimeout(() => this.ask(), 150);
      });
      setInterval(() => document.visibilityState === "visible" && this.ask(), REFRESH_MS);
      this.ask();
    }
    if (this.use === "area") this.draw();
    this.map.once("idle", () => (this.box.dataset.ready = "yes"));
  }

  say(told) {
    const place = this.box.parentElement.querySelector(".map-said");
    if (place && told !== undefined) place.textContent = told;
  }

  // What lies in the frame. Only the newest question counts.
  async ask() {
    const frame = this.map.getBounds();
    const within = (value, most) => Math.max(-most, Math.min(most, value)).toFixed(6);
    const box = [within(frame.getWest(), 180), within(frame.getSouth(), 90), within(frame.getEast(), 180), within(frame.getNorth(), 90)];
    const all = new URLSearchParams(location.search).get("all") ? "&all=1" : "";
    this.asked?.abort();
    this.asked = new AbortController();
    try {
      const answer = await fetch(`/console/map/data?bbox=${box.join(",")}&zoom=${Math.max(0, Math.round(this.map.getZoom()))}${all}`, { signal: this.asked.signal, redirect: "error" });
      if (!answer.ok) throw new Error(String(answer.status));
      this.shown = await answer.json();
      this.put("shown", this.shown);
      this.put("accuracy", collection(this.shown.features.filter((f) => f.properties.accuracy && f.properties.what === "incident").map((f) => polygon(ring(f.geometry.coordinates, f.properties.accuracy)))));
      this.sum = this.shown.said;
      this.say(this.sum);
      this.box.dataset.asked = "yes";
    } catch (error) {
      if (error.name !== "AbortError") this.say(this.words.asleep);
    }
  }

  buttons() {
    const bar = document.createElement("div");
    bar.className = "map-buttons";
    const button = (sign, word, act) => {
      const made = document.createElement("button");
      made.type = "button";
      made.textContent = sign;
      made.setAttribute("aria-label", word);
      made.title = word;
      made.addEventListener("click", act);
      bar.append(made);
    };
    const calm = { animate: !matchMedia("(prefers-reduced-motion: reduce)").matches, duration: 150 };
    button("+", this.words.closer, () => this.map.zoomIn(calm));
    button("−", this.words.further, () => this.map.zoomOut(calm));
    button("⛶", this.words.whole, () => this.map.fitBounds(this.whole(), { padding: 40, maxZoom: 16, ...calm }));
    this.box.append(bar);
    if (this.under?.said) {
      const credit = document.createElement("p");
      credit.className = "map-credit";
      credit.textContent = this.under.said;
      this.box.append(credit);
    }
  }

  // ---- an area: corners pressed one after the other, or a middle and a radius ---------------------------------------

  draw() {
    const field = document.getElementById("area");
    const radius = document.getElementById("area-radius");
    const bar = document.createElement("div");
    bar.className = "row area-bar";
    const told = document.createElement("p");
    told.className = "meta";
    told.setAttribute("role", "status");
    let mode = "";
    let corners = [];
    const begin = (which, said) => {
      mode = which;
      corners = [];
      told.textContent = said;
      radius.closest(".area-radius").hidden = which !== "circle";
      show();
    };
    const buttons = {};
    const button = (name, act) => {
      const made = document.createElement("button");
      made.type = "button";
      made.textContent = this.words[name];
      made.addEventListener("click", act);
      bar.append(made);
      buttons[name] = made;
    };
    const km = () => {
      const typed = Number(radius.value.replace(",", "."));
      return typed > 0 && typed <= 200 ? typed : 0;
    };
    const show = () => {
      const dots = corners.map((corner) => point(corner[0], corner[1], {}));
      const closed = corners.length > 2;
      const line = corners.length > 1 ? [{ type: "Feature", geometry: { type: "LineString", coordinates: closed ? [...corners, corners[0]] : corners }, properties: {} }] : [];
      this.area = collection(mode === "circle" ? [...dots, ...(corners.length && km() ? [polygon(ring(corners[0], km() * 1000))] : [])] : [...dots, ...line, ...(closed ? [polygon([...corners, corners[0]])] : [])]);
      this.put("area", this.area);
      buttons.done.disabled = mode !== "polygon" || !closed;
    };
    const write = () => {
      const named = ([lon, lat]) => `${rounded(lat)},${rounded(lon)}`;
      if (mode === "circle" && corners.length && km()) field.value = `${named(corners[0])} ${km()}`;
      if (mode === "polygon" && corners.length > 2) field.value = [...corners, corners[0]].map(named).join(" ");
      this.tick(field.value);
    };
    button("polygon", () => begin("polygon", this.words.drawing));
    button("circle", () => begin("circle", this.words.centring));
    button("done", () => {
      write();
      mode = "";
      told.textContent = "";
      buttons.done.disabled = true;
    });
    button("clear", () => {
      begin("", "");
      field.value = "";
    });
    buttons.done.disabled = true;
    this.map.on("click", ({ lngLat }) => {
      if (mode === "polygon" && corners.length < 100) corners.push([lngLat.lng, lngLat.lat]);
      else if (mode === "circle") corners = [[lngLat.lng, lngLat.lat]];
      else return;
      show();
      if (mode === "circle") write();
    });
    radius.addEventListener("input", () => {
      if (mode === "circle") {
        show();
        write();
      }
    });
    const typed = () => {
      this.area = collection(shapesOf(field.value));
      this.put("area", this.area);
      this.tick(field.value);
    };
    field.addEventListener("change", typed);
    if (field.value) typed();
    this.box.after(bar, told);
  }

  // Ticks the hamlets whose centre lies in the area; none is taken away.
  tick(typed) {
    const [area] = shapesOf(typed);
    if (!area) return;
    for (const [no, , lat, lon] of this.ground.hamlets) {
      const choice = document.querySelector(`input[name="hamlet"][value="${no}"]`);
      if (choice && inside([lon, lat], area)) choice.checked = true;
    }
  }
}

// The area that is typed, as features; nothing when it is none.
function shapesOf(typed) {
  const parts = typed.trim().split(/\s+/);
  const place = (part) => {
    const [lat, lon, more] = part.split(",").map(Number);
    return more === undefined && Math.abs(lat) <= 90 && Math.abs(lon) <= 180 ? [lon, lat] : null;
  };
  if (parts.length === 2 && !parts[1].includes(",")) {
    const [middle, km] = [place(parts[0]), Number(parts[1])];
    return middle && km > 0 && km <= 200 ? [polygon(ring(middle, km * 1000), { middle, km })] : [];
  }
  const corners = parts.map(place);
  return corners.length > 3 && corners.every(Boolean) ? [polygon(corners)] : [];
}

function inside(place, area) {
  if (area.properties.middle) return metres(place, area.properties.middle) <= area.properties.km * 1000;
  const [x, y] = place;
  const corners = area.geometry.coordinates[0];
  let odd = false;
  for (let n = 1; n < corners.length; n += 1) {
    const [[xa, ya], [xb, yb]] = [corners[n - 1], corners[n]];
    if (ya > y !== yb > y && x < ((xb - xa) * (y - ya)) / (yb - ya) + xa) odd = !odd;
  }
  return odd;
}

// ---- the page ----------------------------------------------------------------------------------------------------------

const read = async (address, how) => {
  const answer = await fetch(address, { redirect: "error" });
  if (!answer.ok) throw new Error(`${address}: ${answer.status}`);
  return answer[how]();
};

try {
  const [ground, names] = await Promise.all([read("/console/map/ground", "json"), read("/console/assets/communes.csv", "text")]);
  const rows = communes(names);
  // A base map that cannot be read keeps no map from being drawn.
  const under = ground.base ? await base().catch(() => null) : null;
  for (const box of document.querySelectorAll(".map")) {
    try {
      new Chart(box, ground, rows, under);
    } catch (error) {
      box.className = "note";
      box.textContent = ground.words.failed;
      box.removeAttribute("role");
      console.warn(error);
    }
  }
} catch (error) {
  console.warn(error);
}
