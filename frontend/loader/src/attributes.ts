// The script tag and its attributes: data-site, data-adobe-globals, data-layer, data-locale, data-theme.

const tag = (document.currentScript || document.querySelector("script[data-site]")) as HTMLScriptElement;

/** Where the script came from: the only origin the loader speaks to. */
export const server = new URL(tag.src).origin;

export const attributes: Record<string, string | undefined> = { ...tag.dataset };
