// What core and stage both do with a page's elements. Each bundle has its own copy: nothing here has a state.

/** Does what a page's settings may forbid: then it is not done. */
export const attempt = <T>(action: () => T): T | undefined => {
  try {
    return action();
  } catch {}
};

export const create = <K extends keyof HTMLElementTagNameMap>(
  name: K,
  properties: Partial<HTMLElementTagNameMap[K]>,
  parent?: Node,
): HTMLElementTagNameMap[K] => {
  const element = Object.assign(document.createElement(name), properties);
  parent?.appendChild(element);
  return element;
};

/** A sheet made by script is not an inline style: the page's policy may forbid those. */
export const style = (root: ShadowRoot, css: string): void => {
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(css);
  root.adoptedStyleSheets = [...root.adoptedStyleSheets, sheet];
};

/** The page's elements for inline conversations: Porchlight's, and those of pages written for Dynamic Chat. */
export const places = (): HTMLElement[] => [...document.querySelectorAll<HTMLElement>("[data-porchlight],.mktoConversation")];

/** The conversation that such an element is for. */
export const wanted = ({ dataset, id }: HTMLElement): string => dataset.porchlight || id;
