// Makes npm-segments.json: texts as sms-segments-calculator of npm (Twilio's) cuts them, with a
// reference of 8 bits.
//   npm install sms-segments-calculator@1.3.0 && node make_npm_segments.js > npm-segments.json
// It keeps graphemes whole, and takes one of several characters for none of GSM 03.38: so here every
// character is a grapheme by itself, and no CR stands before LF.
'use strict';
const { SegmentedMessage } = require('sms-segments-calculator');
const { version } = require('sms-segments-calculator/package.json');

// A text is a list of [characters, how many times].
const text = (runs) => runs.map(([characters, times]) => characters.repeat(times)).join('');
const MADE = [[]];
const add = (...runs) => MADE.push(runs);

const BASIC = '@£$¥èéùìòÇØøÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !"#¤%&\'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNO' +
  'PQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà';
add([BASIC, 1]); add(['\n', 3]); add(['\r', 2]); add(['^{}\\[~]|€', 1]);
for (const other of 'жЩ„“№–…\u00a0`çїΑ中😀') add(['x', 1], [other, 1]);

// Around every limit: one part, and one, two and three full parts of septets and of units.
for (const size of [160, 153, 306, 459]) {
  for (let n = size - 2; n <= size + 2; n++) add(['x', n]);
}
for (const size of [70, 67, 134, 201]) {
  for (let n = size - 2; n <= size + 2; n++) add(['ж', n]);
}
// Pairs at the cut: of an escape, and of surrogates.
for (let n = 149; n <= 155; n++) {
  add(['x', n], ['€', 1], ['y', 20]); add(['x', n], ['[€', 6]); add(['x', n + 153], ['~', 2]);
}
for (let n = 78; n <= 82; n++) add(['€', n]);
for (let n = 63; n <= 69; n++) {
  add(['ж', n], ['😀', 1], ['я', 9]); add(['ж', n], ['😀', 4]); add(['ж', n + 67], ['😀', 2]);
}
for (let n = 33; n <= 37; n++) add(['😀', n]);
add(['x€', 200]); add(['ж😀', 100]); add(['x', 153 * 20]); add(['ж', 67 * 20]);

const vectors = MADE.map((runs) => {
  const cut = new SegmentedMessage(text(runs));
  const size = cut.getEncodingName() === 'GSM-7' ? 7 : 16;
  return {
    text: runs,
    ref_bits: 8,
    encoding: size === 7 ? 'gsm7' : 'ucs2',
    units: cut.segments.map((segment) => segment.messageSizeInBits() / size),
  };
});
console.log(`{"made_by": "npm sms-segments-calculator ${version}, by make_npm_segments.js", ` +
  `"vectors": [\n${vectors.map((vector) => JSON.stringify(vector)).join(',\n')}\n]}`);
