// Passkeys: asks the browser for what the hub asked, and sends the answer. Without a script, passwords stay.
"use strict";

const bytes = (text) => Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (c) => c.charCodeAt(0));
const text = (buffer) =>
  btoa(String.fromCharCode(...new Uint8Array(buffer))).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");

async function post(path, body) {
  const answer = await fetch(path, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  const read = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Error(read.wrong || "");
  return read;
}

function credential(found) {
  const response = { clientDataJSON: text(found.response.clientDataJSON) };
  for (const name of ["attestationObject", "authenticatorData", "signature", "userHandle"]) {
    if (found.response[name]) response[name] = text(found.response[name]);
  }
  return { id: found.id, rawId: text(found.rawId), type: found.type, extensions: {}, response };
}

function known(list) {
  return (list || []).map((one) => ({ ...one, id: bytes(one.id) }));
}

async function comeIn(form) {
  const { ceremony, asked } = await post("/console/sign-in/ask", { login: form.elements.login.value });
  const options = asked.publicKey;
  options.challenge = bytes(options.challenge);
  options.allowCredentials = known(options.allowCredentials);
  const found = await navigator.credentials.get({ publicKey: options });
  await post("/console/sign-in/answer", { ceremony, answer: credential(found) });
  location.assign(form.elements.to.value);
}

async function add(form) {
  const token = form.elements.token.value;
  const { ceremony, asked } = await post("/console/account/passkeys/ask", { token, label: form.elements.label.value });
  const options = asked.publicKey;
  options.challenge = bytes(options.challenge);
  options.user.id = bytes(options.user.id);
  options.excludeCredentials = known(options.excludeCredentials);
  const made = await navigator.credentials.create({ publicKey: options });
  await post("/console/account/passkeys/answer", { token, ceremony, answer: credential(made) });
  location.assign("/console/account");
}

for (const button of document.querySelectorAll("[data-passkey]")) {
  if (!window.PublicKeyCredential) continue;
  button.hidden = false;
  button.addEventListener("click", async () => {
    const told = document.getElementById(button.dataset.told);
    told.textContent = "";
    button.disabled = true;
    try {
      await (button.dataset.passkey === "add" ? add(button.form) : comeIn(button.form));
    } catch (error) {
      // What the browser says of itself is not in the reader's language; what the hub says is.
      told.textContent = (!(error instanceof DOMException) && error.message) || button.dataset.wrong;
      button.disabled = false;
    }
  });
}
