// Which picture goes with a device. Its name is the server's: see package
// bind/device.

const pictures = [
  [/Android|iPhone|iPad/, "phone"],
  [/Windows|macOS|ChromeOS|Linux/, "laptop"],
];

/** Gives the icon for a device's name. */
export function pictureOf(name) {
  const [, picture] = pictures.find(([mark]) => mark.test(name)) ?? [];
  return picture ?? "terminal";
}
