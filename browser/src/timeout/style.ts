/**
 * The looks of the dialog, by a constructed style sheet, which no
 * Content-Security-Policy forbids. The system's own colours for text and ground,
 * and two accents, all with the contrast of WCAG 2.2 §1.4.3 in light and dark.
 */
export const css =
  ":host{display:contents}" +
  "dialog{" +
    "color-scheme:var(--sojourn-color-scheme,light dark);" +
    "--_a:var(--sojourn-accent,light-dark(#0b57d0,#a8c7fa));" +
    "box-sizing:border-box;" +
    "width:min(32rem,100vw - 2rem);" +
    "max-height:calc(100dvh - 2rem);" +
    "margin:auto;" +
    "padding:var(--sojourn-padding,1.5rem);" +
    "border:1px solid var(--sojourn-border,GrayText);" +
    "border-radius:var(--sojourn-radius,.75rem);" +
    "background:var(--sojourn-background,Canvas);" +
    "color:var(--sojourn-color,CanvasText);" +
    "font:var(--sojourn-font,1rem/1.5 system-ui);" +
    "visibility:visible}" +
  ":focus-visible{outline:3px solid var(--_a);outline-offset:2px}" +
  "::backdrop{background:var(--sojourn-backdrop,#0009)}" +
  ".masked::backdrop{background:var(--sojourn-mask,Canvas)}" +
  "h2{margin:0 0 .5rem;font-size:1.25em}" +
  "p{margin:0 0 1rem}" +
  "[part=time]{font-weight:600;font-variant-numeric:tabular-nums}" +
  "[part=error]{color:var(--sojourn-error,light-dark(#a3130b,#ffb4ab))}" +
  ":empty{margin:0}" +
  "[part=actions]{display:flex;flex-wrap:wrap;gap:.75rem}" +
  "button,a{" +
    "box-sizing:border-box;" +
    "min-height:2.75rem;" +
    "padding:.5rem 1.25rem;" +
    "cursor:pointer;" +
    "border:1px solid var(--_a);" +
    "border-radius:var(--sojourn-radius,.5rem);" +
    "background:0;" +
    "color:var(--_a);" +
    "font:inherit;" +
    "font-weight:600;" +
    "text-decoration:none}" +
  "[hidden]{display:none}" +
  ".main{background:var(--_a);color:var(--sojourn-accent-color,light-dark(#fff,#062e6f))}" +
  "[aria-disabled=true]{cursor:progress;opacity:.7}" +
  ".spoken{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%)}";
