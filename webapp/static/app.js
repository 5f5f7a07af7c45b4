// app.js: copy buttons, forms that are sent once and survive a log-in, filters that apply at once. Every page works without it.
"use strict";

(() => {
  // Copy buttons
  const copy = async (text) => {
    if (navigator.clipboard) return navigator.clipboard.writeText(text);
    const area = document.createElement("textarea");  // plain http has no clipboard API
    area.value = text;
    document.body.append(area);
    area.select();
    document.execCommand("copy");
    area.remove();
  };
  for (const button of document.querySelectorAll("[data-copy]")) {
    const label = button.firstChild, words = label.nodeValue;
    button.hidden = false;
    button.addEventListener("click", async () => {
      try {
        await copy(button.dataset.copy);
        label.nodeValue = "Copied";
      } catch {
        label.nodeValue = "Select and copy by hand";
      }
      setTimeout(() => { label.nodeValue = words; }, 1600);
    });
  }

  // A form is sent once; the back button makes it ready again.
  document.addEventListener("submit", (event) => {
    if (event.defaultPrevented || event.target.method !== "post") return;
    if (event.target.dataset.sent) return event.preventDefault();
    event.target.dataset.sent = "1";
    event.submitter?.setAttribute("aria-busy", "true");
  });
  addEventListener("pageshow", () => {
    for (const form of document.querySelectorAll("[data-sent]")) delete form.dataset.sent;
    for (const button of document.querySelectorAll("[aria-busy]")) button.removeAttribute("aria-busy");
  });

  // Supabase's recovery link leads to the front page or to /recovery, with its tokens or an error behind the #.
  const fragment = new URLSearchParams(location.hash.slice(1));
  const recovery = document.querySelector("[data-recovery]");
  if (fragment.get("type") === "recovery" && !recovery) location.replace(`/recovery${location.hash}`);
  if (recovery && fragment.has("access_token")) {
    for (const name of ["access_token", "refresh_token"]) recovery.elements[name].value = fragment.get(name) ?? "";
    for (const part of document.querySelectorAll("[data-recovery], [data-no-link]")) part.hidden = part !== recovery;
    recovery.elements.password.focus();
  }
  if (recovery && fragment.has("error_code")) document.querySelector("[data-link-invalid]").hidden = false;
  if (recovery && location.hash) history.replaceState(null, "", location.pathname);

  // What was typed survives a log-in in the middle of a form: this tab keeps it, without passwords and keys, until the
  // next page, and longer only across the pages of the log-in. Back at the form it is filled in again.
  const keeping = document.querySelector("[data-keeps-typed]");
  const who = document.querySelector(".who a")?.title;  // nobody else gets it
  const place = (form) => [who, location.pathname, form.getAttribute("action")].join(" ");
  const typable = (form) => [...form.elements].filter(({ name, type }) => name && !["hidden", "password", "submit"].includes(type));
  document.addEventListener("submit", ({ target }) => {
    if (keeping || target.method !== "post") return;
    const values = typable(target).map(({ name, value, checked }) => [name, value, checked]);
    sessionStorage.setItem("typed", JSON.stringify({ place: place(target), values }));
  });
  const typed = JSON.parse(sessionStorage.getItem("typed"));
  if (typed && keeping) sessionStorage.setItem("typed", JSON.stringify({ ...typed, interrupted: true }));
  else sessionStorage.removeItem("typed");
  if (typed?.interrupted && !keeping) {
    for (const form of document.forms) {
      if (place(form) !== typed.place) continue;
      typable(form).forEach((field, n) => {
        const [name, value, checked] = typed.values[n] ?? [];
        if (name !== field.name) return;
        if (["checkbox", "radio"].includes(field.type)) field.checked = checked;
        else field.value = value;
      });
      form.querySelector("input:not([type=hidden])")?.focus();
    }
  }

  // A secret is shown once: reloading this page must not send its form again.
  const elsewhere = document.querySelector("[data-reload-goes-to]");
  if (elsewhere) history.replaceState(null, "", elsewhere.dataset.reloadGoesTo);

  // A choice in a filter applies at once, and the address holds only filters in use. The back button shows the
  // choices that made the page one comes back to.
  for (const form of document.querySelectorAll("form.filters")) {
    form.addEventListener("change", (event) => {
      if (event.target.tagName === "SELECT" && event.target.value !== "custom") form.requestSubmit();
    });
    form.addEventListener("formdata", ({ formData }) => {
      const period = formData.get("period");
      if (period !== "custom") for (const name of ["from", "to"]) formData.delete(name);
      if (period === "30") formData.delete("period");
      for (const [name, value] of [...formData]) if (!value) formData.delete(name);
    });
    addEventListener("pageshow", (event) => { if (event.persisted) form.reset(); });
  }

  // A download begins when the database has found its first rows: until then its link says so.
  for (const link of document.querySelectorAll("[data-download]")) {
    const words = link.textContent;
    link.addEventListener("click", () => {
      const token = String(Date.now()), address = new URL(link.href);
      address.searchParams.set("download", token);
      link.href = address;
      link.textContent = "Preparing…";
      link.setAttribute("aria-busy", "true");
      const began = Date.now();
      const look = setInterval(() => {
        const here = document.cookie.split("; ").includes(`download=${token}`);
        if (!here && Date.now() - began < 60000) return;
        clearInterval(look);
        link.removeAttribute("aria-busy");
        link.textContent = here ? "Downloading" : words;
        setTimeout(() => { link.textContent = words; }, 2000);
      }, 100);
    });
  }

  // Theme without a reload; the server writes the same cookie when this script is away.
  const themes = document.querySelector("[data-theme-form]");
  themes?.addEventListener("submit", (event) => {
    if (!event.submitter) return;
    event.preventDefault();
    const theme = event.submitter.value;
    document.cookie = `theme=${theme}; path=/; max-age=31536000; samesite=lax`;
    if (theme === "auto") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = theme;
    for (const button of themes.elements) {
      if (button.name === "theme") button.setAttribute("aria-pressed", String(button === event.submitter));
    }
    document.dispatchEvent(new Event("themechange"));
  }, true);
})();
