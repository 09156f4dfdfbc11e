/** What custom elements extend. Where there is no document, such as on a server that renders pages, it is of no use but does no harm. */
export const Base = (globalThis.HTMLElement ?? class {}) as typeof HTMLElement;

/** Makes an element known under its name, where there are elements. Twice does nothing. */
export function define(name: string, element: CustomElementConstructor): void {
  const registry = globalThis.customElements as CustomElementRegistry | undefined;
  if (registry && !registry.get(name)) registry.define(name, element);
}

/** Sets anew what was set before the class was known, and hides the setter since. */
export function adopt<E extends object>(element: E, names: readonly (keyof E)[]): void {
  for (const name of names) {
    if (!Object.hasOwn(element, name)) continue;
    const value = element[name];
    delete element[name];
    element[name] = value;
  }
}
