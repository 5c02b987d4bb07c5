// The shortcodes that approval bots and their users write; an unknown one stays as it was typed.

const TABLE = `
+1 👍|thumbsup 👍|-1 👎|thumbsdown 👎|white_check_mark ✅|heavy_check_mark ✔️|ballot_box_with_check ☑️|x ❌
negative_squared_cross_mark ❎|no_entry ⛔|no_entry_sign 🚫|octagonal_sign 🛑|warning ⚠️|rotating_light 🚨|bell 🔔
no_bell 🔕|lock 🔒|unlock 🔓|closed_lock_with_key 🔐|key 🔑|old_key 🗝️|shield 🛡️|hourglass ⌛
hourglass_flowing_sand ⏳|alarm_clock ⏰|stopwatch ⏱️|timer_clock ⏲️|clock1 🕐|clock3 🕒|clock9 🕘|calendar 📆|date 📅
spiral_calendar_pad 🗓️|memo 📝|pencil 📝|pencil2 ✏️|clipboard 📋|page_facing_up 📄|scroll 📜|books 📚|book 📖
file_folder 📁|open_file_folder 📂|card_index 📇|mag 🔍|mag_right 🔎|link 🔗|paperclip 📎|pushpin 📌|round_pushpin 📍
eyes 👀|eye 👁️|raised_hand ✋|hand ✋|wave 👋|ok_hand 👌|clap 👏|pray 🙏|point_right 👉|point_left 👈|point_up ☝️
point_down 👇|muscle 💪|handshake 🤝|busts_in_silhouette 👥|bust_in_silhouette 👤|man 👨|woman 👩|person_in_tuxedo 🤵
robot_face 🤖|smile 😄|smiley 😃|grinning 😀|slightly_smiling_face 🙂|wink 😉|thinking_face 🤔|neutral_face 😐
disappointed 😞|cry 😢|tada 🎉|sparkles ✨|star ⭐|fire 🔥|boom 💥|zap ⚡|bulb 💡|gear ⚙️|wrench 🔧|hammer 🔨
hammer_and_wrench 🛠️|electric_plug 🔌|computer 💻|desktop_computer 🖥️|phone ☎️|telephone_receiver 📞|iphone 📱
pager 📟|email 📧|envelope ✉️|incoming_envelope 📨|inbox_tray 📥|outbox_tray 📤|package 📦|speech_balloon 💬
thought_balloon 💭|loudspeaker 📢|mega 📣|arrow_right ➡️|arrow_left ⬅️|arrow_up ⬆️|arrow_down ⬇️|arrows_counterclockwise 🔄
repeat 🔁|fast_forward ⏩|rewind ⏪|arrow_forward ▶️|double_vertical_bar ⏸️|black_square_for_stop ⏹️|heavy_plus_sign ➕
heavy_minus_sign ➖|question ❓|grey_question ❔|exclamation ❗|heavy_exclamation_mark ❗|information_source ℹ️|red_circle 🔴
large_orange_circle 🟠|large_yellow_circle 🟡|large_green_circle 🟢|large_blue_circle 🔵|large_purple_circle 🟣
black_circle ⚫|white_circle ⚪|large_red_square 🟥|large_green_square 🟩|large_yellow_square 🟨|small_red_triangle 🔺
chart_with_upwards_trend 📈|bar_chart 📊|triangular_flag_on_post 🚩|checkered_flag 🏁|door 🚪|house 🏠|office 🏢
hospital 🏥|ambulance 🚑|fire_extinguisher 🧯|construction 🚧|mute 🔇|sleeping 😴|zzz 💤|palm_tree 🌴|airplane ✈️
crescent_moon 🌙|sunny ☀️|heart ❤️|100 💯|id 🆔|new 🆕|sos 🆘|recycle ♻️|scales ⚖️|ticket 🎫|identification_card 🪪
`;

const EMOJI = new Map();
for (const entry of TABLE.split(/[|\n]/)) {
  const [code, sign] = entry.trim().split(" ");
  if (sign) EMOJI.set(code, sign);
}

export const emojiFor = (code) => EMOJI.get(code);

// A text with its shortcodes replaced, as a plain string.
export function withEmoji(text) {
  return text.replace(/:([a-z0-9_+-]+):/g, (all, code) => EMOJI.get(code) ?? all);
}
