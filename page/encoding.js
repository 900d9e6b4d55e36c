// What an encoding is called, and holds.

/** Units of one segment, and of each of several. */
export const CAPACITY = { UTF8: [160, 153], UCS2: [70, 67] };

/** GatewayAPI says UTF8 for what GSM 03.38 can write. */
export function encodingName(encoding) {
  return { UTF8: 'GSM 03.38', UCS2: 'UCS-2' }[encoding] ?? encoding;
}

/** The same where there is little room. */
export function shortEncodingName(encoding) {
  return encoding === 'UTF8' ? 'GSM' : encodingName(encoding);
}
