// Keeps the page as the server has it: on each event the page is fetched again, and the parts that have changed are
// exchanged. Forms are sent without leaving the page. Without this script links and forms still work.
'use strict';
(() => {
  let isRunning = false;
  let isStale = false;

  async function refresh() {
    if (isRunning) {
      isStale = true;
      return;
    }
    isRunning = true;
    try {
      const response = await fetch(location.pathname + location.search, { cache: 'no-store' });
      if (response.ok) exchange(new DOMParser().parseFromString(await response.text(), 'text/html'));
    } catch { /* The server has ended; the next event comes when it is back. */ }
    isRunning = false;
    if (isStale) {
      isStale = false;
      refresh();
    }
  }

  function exchange(fresh) {
    for (const old of document.querySelectorAll('[data-part]')) {
      const part = fresh.querySelector(`[data-part="${old.dataset.part}"]`);
      if (!part || part.dataset.version === old.dataset.version) continue;
      const focused = old.contains(document.activeElement) ? document.activeElement.id : '';
      const written = [...old.querySelectorAll('input[type=text], textarea')].filter((field) => field.value !== field.defaultValue);
      const caret = document.activeElement.selectionStart;
      const open = new Set([...old.querySelectorAll('details[open]')].map((details) => details.id));
      const atEnd = old.scrollHeight - old.scrollTop - old.clientHeight < 40;
      old.replaceWith(part);
      for (const details of part.querySelectorAll('details')) if (open.has(details.id)) details.open = true;
      for (const { id, value } of written) {
        const field = document.getElementById(id);
        if (field) field.value = value;
      }
      if (atEnd) part.scrollTop = part.scrollHeight;
      const target = (focused && document.getElementById(focused)) || firstField(part);
      if (!target) continue;
      target.focus();
      const place = focused === target.id && caret != null ? caret : target.value?.length;
      if (place) target.setSelectionRange?.(place, place);
    }
  }

  function firstField(part) {
    return part.dataset.part === 'modal' && part.querySelector('[aria-invalid], textarea, input[type=text], button');
  }

  document.addEventListener('submit', async (event) => {
    const form = event.target;
    // A field may be called "action" or "method", so the properties of these names are not asked.
    if (form.getAttribute('method') !== 'post') return;
    event.preventDefault();
    const fields = new URLSearchParams(new FormData(form, event.submitter));
    if (event.submitter) event.submitter.disabled = true;
    form.closest('dialog')?.close();
    form.querySelector('dialog[open]')?.close();
    if (form.dataset.opensUrl) window.open(form.dataset.opensUrl, '_blank', 'noopener');
    try {
      const response = await fetch(form.getAttribute('action'), {
        method: 'POST',
        headers: { 'x-live': '1' },
        body: fields,
      });
      if (!response.ok) say(await response.text());
    } catch {
      say('The server does not answer any more.');
    }
    if (event.submitter) event.submitter.disabled = false;
    refresh();
  });

  document.addEventListener('click', (event) => {
    const button = event.target.closest('button');
    if (button?.dataset.dialog) document.getElementById(button.dataset.dialog)?.showModal();
    if (button?.dataset.closes) button.closest(button.dataset.closes)?.close();
  });

  document.addEventListener('keydown', (event) => {
    if (event.key === 'Escape' && !document.querySelector('dialog[open]')) {
      document.getElementById('modal-close')?.requestSubmit();
    }
  });

  function say(text) {
    const note = document.createElement('p');
    note.className = 'live-note';
    note.setAttribute('role', 'alert');
    note.textContent = text;
    document.body.append(note);
    setTimeout(() => note.remove(), 8000);
  }

  const events = new EventSource(document.body.dataset.events);
  events.onmessage = refresh;
  events.onopen = () => delete document.body.dataset.offline;
  events.onerror = () => { document.body.dataset.offline = 'true'; };
})();
