import { type ExpirySession, type Expiry } from "./expiry.js";

/**
 * `<sojourn-timeout>`: asks the user before their session ends.
 *
 * Attributes: `base` (where the API is), `login` (where "Start again" leads; else
 * the page is loaded anew), `lang` (else that of the page).
 *
 * Events, which bubble: `sojourn-warning`, `sojourn-extended`, and
 * `sojourn-ended`; cancelling the last keeps the dialog from showing it.
 */
declare class SojournTimeout extends Base {
    #private;
    static readonly observedAttributes: string[];
    /**
     * The session to watch. Default: that of the `<sojourn-session>` around; else,
     * if none is given by the time the page is parsed, one of its own.
     */
    get session(): ExpirySession | undefined;
    set session(session: ExpirySession | undefined);
    /** The warning without its looks; undefined without a session. */
    get expiry(): Expiry | undefined;
    /** Words in place of those of the language: all, or some. */
    get messages(): Partial<Messages>;
    set messages(words: Partial<Messages>);
    /** Whether the dialog is open. */
    get open(): boolean;
    connectedCallback(): void;
    disconnectedCallback(): void;
    attributeChangedCallback(): void;
}

/** Adds a language, or replaces one, for all dialogs: `addLanguage("sv", { … })`. */
declare function addLanguage(tag: string, messages: Messages): void;

/**
 * All that the dialog says in one language. `{time}` stands for a duration, made
 * of the units at the end: give them the case that it has in the sentences.
 */
interface Messages {
    /** The writing direction, where it is not from left to right. */
    readonly dir?: "rtl";
    readonly title: string;
    /** With {time}. */
    readonly warning: string;
    /** With {time}: nothing can extend the session. */
    readonly final: string;
    /** With {time}: said now and then. */
    readonly remaining: string;
    readonly extend: string;
    readonly end: string;
    readonly close: string;
    /** Only the server can tell now. */
    readonly checking: string;
    /** The server did not do it. */
    readonly failed: string;
    readonly endedTitle: string;
    readonly ended: string;
    readonly again: string;
    readonly minute: Plural;
    readonly second: Plural;
    /** Joins two units, `{0}` and `{1}`. */
    readonly and: string;
}

/** A word with its number as `#`, by plural category (Intl.PluralRules); `other` is for the rest. */
type Plural = {
    readonly [Category in Intl.LDMLPluralRule]?: string;
} & {
    readonly other: string;
};

/** What custom elements extend. Where there is no document, such as on a server that renders pages, it is of no use but does no harm. */
declare const Base: typeof HTMLElement;

declare global {
    interface HTMLElementTagNameMap {
        "sojourn-timeout": SojournTimeout;
    }
}

export { SojournTimeout, addLanguage, type Messages, type Plural };
