// app.js: copy buttons, forms that are sent once and keep what was typed, filters, menus, heads of tables in sight.
// Every page works without it.
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

  // A form is sent once, and asks first if it has a question; the back button makes it ready again, and so does who stops
  // loading (browsers without window.navigation do not tell).
  document.addEventListener("submit", (event) => {
    if (event.defaultPrevented || event.target.method !== "post") return;
    const question = event.target.dataset.confirm;
    if (event.target.dataset.sent || (question && !confirm(question))) return event.preventDefault();
    event.target.dataset.sent = "1";
    event.submitter?.setAttribute("aria-busy", "true");
  });
  const ready = () => {
    for (const form of document.querySelectorAll("[data-sent]")) delete form.dataset.sent;
    for (const button of document.querySelectorAll("[aria-busy]")) button.removeAttribute("aria-busy");
  };
  addEventListener("pageshow", ready);
  window.navigation?.addEventListener("navigateerror", ready);

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

  // What was typed survives a log-in in the middle of a form, an error, and a site that cannot be reached: this tab keeps
  // it, without passwords and keys, until the next page, and longer only across pages of a log-in or an error. Back at the
  // form it is filled in again. Where nothing was reached no page of ours came between, only the browser's own.
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
  const wentBack = performance.getEntriesByType("navigation")[0]?.type === "back_forward";
  if (typed && (typed.interrupted || wentBack) && !keeping) {
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

  // Reloading a page that answered a form must not send the form again: one that showed a secret, one that was refused.
  const elsewhere = [...document.querySelectorAll("[data-reload-goes-to]")].pop();
  if (elsewhere) history.replaceState(null, "", elsewhere.dataset.reloadGoesTo);

  // Filters: the address holds only those in use, and where they are open at once (not on a telephone) they are so for
  // screen readers too. The back button shows the choices that made the page one comes back to.
  const narrow = matchMedia("(max-width: 560px)");
  for (const form of document.querySelectorAll("form.filters")) {
    const fold = form.querySelector(".fold"), picks = [...form.querySelectorAll(".pick")];
    const unfold = () => { if (fold) fold.open = !narrow.matches; };
    narrow.addEventListener("change", unfold);
    unfold();
    form.addEventListener("formdata", ({ formData }) => {
      const fields = [...formData], period = formData.get("period"), excluded = formData.getAll("exclude");
      for (const name of new Set(formData.keys())) formData.delete(name);
      for (let [name, value] of fields) {
        if (name === "period" && ["30", "custom", "shown"].includes(value)) continue;
        if (["from", "to"].includes(name) && period !== "custom") continue;
        if (name.startsWith("shown_") && period !== "shown") continue;
        name = name.replace("shown_", "");
        if (value && name !== "exclude") formData.append(excluded.includes(name) ? `not_${name}` : name, value);
      }
    });
    // Lists of choices: one open at a time; Escape and a click elsewhere close it.
    const close = (besides) => { for (const pick of picks) if (pick !== besides) pick.open = false; };
    form.addEventListener("toggle", ({ target }) => {
      if (!target.open || !picks.includes(target)) return;
      close(target);
      const list = target.querySelector("fieldset");
      target.classList.remove("flip");
      target.classList.toggle("flip", list.getBoundingClientRect().right > document.documentElement.clientWidth - 16);
    }, true);
    form.addEventListener("keydown", (event) => {
      const open = event.target.closest(".pick[open]");
      if (event.key !== "Escape" || !open) return;
      open.open = false;
      open.querySelector("summary").focus();
    });
    document.addEventListener("click", ({ target }) => { if (!target.closest(".pick")) close(); });
    for (const box of form.querySelectorAll("[data-narrow]")) {
      const list = box.nextElementSibling;
      box.hidden = false;
      box.addEventListener("input", () => {
        const wanted = box.value.trim().toLowerCase();
        for (const tick of list.querySelectorAll(".tick")) tick.hidden = !tick.textContent.toLowerCase().includes(wanted);
      });
      box.addEventListener("keydown", (event) => { if (event.key === "Enter") event.preventDefault(); });
    }
    // After Apply by keyboard, the page that comes has the focus where this one had it.
    form.addEventListener("submit", () => {
      const from = document.activeElement, pick = from?.closest(".pick");
      if (from?.matches(":focus-visible")) sessionStorage.setItem("applied", pick ? String(picks.indexOf(pick)) : "apply");
    });
    const applied = sessionStorage.getItem("applied");
    if (applied !== null) {
      sessionStorage.removeItem("applied");
      (picks[applied]?.querySelector("summary") ?? form.querySelector(":scope > .row > button"))?.focus({ preventScroll: true });
    }
    addEventListener("pageshow", (event) => { if (event.persisted) { form.reset(); close(); } });
  }

  // A menu closes by Escape and by a click elsewhere.
  const menus = () => document.querySelectorAll(".menu[open]");
  document.addEventListener("click", (event) => {
    for (const menu of menus()) if (!menu.contains(event.target)) menu.open = false;
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    for (const menu of menus()) {
      menu.open = false;
      menu.querySelector("summary").focus();
    }
  });

  // A list or menu that the tab key leaves closes: it would cover what has the focus next.
  document.addEventListener("keyup", ({ key }) => {
    if (key !== "Tab") return;
    for (const list of document.querySelectorAll(".pick[open], .menu[open]")) {
      if (!list.contains(document.activeElement)) list.open = false;
    }
  });

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

  // A table that fits into its card needs no box that scrolls: it scrolls with the page, below its head, and the tab key
  // need not stop there for the arrow keys to scroll it.
  const fit = new ResizeObserver((changed) => {
    for (const { target } of changed) {
      const box = target.closest(".scroll"), fits = target.offsetWidth <= box.offsetWidth;
      box.classList.toggle("fits", fits);
      if (fits) box.removeAttribute("tabindex");
      else box.tabIndex = 0;
    }
  });
  for (const table of document.querySelectorAll(".scroll > table")) fit.observe(table);

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
