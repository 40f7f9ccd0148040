// The script tag and its attributes: data-site, data-adobe-globals, data-alloy, data-analytics, data-consent, data-layer,
// data-locale, data-theme.

const tag = (document.currentScript || document.querySelector("script[data-site]")) as HTMLScriptElement;

/** Where the script came from: the only origin the loader speaks to. */
export const server = new URL(tag.src).origin;

/** As the tag has them, until the page says otherwise. */
export const attributes: Record<string, string | undefined> = { ...tag.dataset };

export const REQUIRED = "required";

/** Whether something may be asked, kept and drawn: not while consent is required and has not been given. */
export const granted = (): boolean => attributes.consent !== REQUIRED;
