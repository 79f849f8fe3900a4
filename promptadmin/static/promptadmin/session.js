/* Keeps the session alive while somebody types, and says at once when it is over. Asked for at most once a minute. */
"use strict";

document.addEventListener("DOMContentLoaded", () => {
  const page = document.querySelector("meta[name=promptadmin-user]");
  const forms = [...document.querySelectorAll("form[method=post]")].filter((form) => form.querySelector("textarea, input, select"));
  if (!page?.content || !forms.length) return;

  const EVERY_MS = 60_000;
  const AFTER_RETURN_MS = 5_000;
  const WARN_SECONDS = 300;
  let asked = Date.now();
  let timer;
  let notice;

  const say = (text, isUrgent) => {
    if (!text) {
      notice?.remove();
      notice = undefined;
      return;
    }
    notice ??= document.body.appendChild(document.createElement("div"));
    notice.className = "pa-session";
    notice.setAttribute("role", isUrgent ? "alert" : "status");
    notice.replaceChildren(...(Array.isArray(text) ? text : [text]));
  };

  const signIn = () => {
    const link = document.createElement("a");
    link.href = page.dataset.login;
    link.target = "_blank";
    link.textContent = "Sign in in another tab";
    return link;
  };

  const later = (seconds) => {
    clearTimeout(timer);
    timer = setTimeout(ask, Math.min(seconds, 86_400) * 1000);
  };

  async function ask(isReturn = false) {
    asked = Date.now();
    let state;
    try {
      const answer = await fetch(page.dataset.session, { headers: { Accept: "application/json" } });
      state = await answer.json();
    } catch {
      say("The server can't be reached. What you type is kept in this tab.");
      later(30);
      return;
    }
    if (!state.user) {
      say(["You aren't signed in any more. What you typed is kept in this tab. ", signIn(), ", then go on here."], true);
    } else if (state.user !== page.content) {
      say("Somebody else has signed in in this browser: what you send now is theirs. Sign in as yourself first.", true);
    } else {
      // The token of a form goes with the session that it was loaded in: after signing in elsewhere there is another.
      if (notice || isReturn) {
        for (const field of document.getElementsByName("csrfmiddlewaretoken")) field.value = state.csrf_token;
      }
      const minutes = Math.ceil(state.whole_seconds / 60);
      say(state.whole_seconds <= WARN_SECONDS && `Your session ends in ${minutes} minute${minutes === 1 ? "" : "s"}: save before that.`);
      later(Math.max(1, Math.min(state.idle_seconds, state.whole_seconds > WARN_SECONDS ? state.whole_seconds - WARN_SECONDS : 60) + 1));
    }
  }

  document.addEventListener("input", (event) => {
    if (forms.includes(event.target.form) && (Date.now() - asked > EVERY_MS || !timer)) ask();
  });
  const returned = () => {
    if (document.visibilityState === "visible" && Date.now() - asked > AFTER_RETURN_MS) ask(true);
  };
  document.addEventListener("visibilitychange", returned);
  window.addEventListener("focus", returned);
  window.addEventListener("pageshow", (event) => event.persisted && ask(true));
});
