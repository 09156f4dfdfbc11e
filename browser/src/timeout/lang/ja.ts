import type { Messages } from "../messages.ts";

/** Japanese. */
export const ja: Messages = {
  title: "まもなくセッションが終了します",
  warning: "しばらく操作がありませんでした。データを保護するため、あと{time}でセッションが終了します。",
  final: "あと{time}でセッションが終了します。延長はできません。今すぐ作業内容を保存してください。",
  remaining: "残り{time}です。",
  extend: "セッションを続ける",
  end: "今すぐ終了する",
  close: "閉じる",
  checking: "セッションが有効か確認しています…",
  failed: "サーバーから正しい応答がありませんでした。まだ何も変更されていません。もう一度お試しください。",
  endedTitle: "セッションが終了しました",
  ended: "データを保護するため、このページは非表示になっています。",
  again: "最初からやり直す",
  minute: { other: "#分" },
  second: { other: "#秒" },
  and: "{0}{1}",
};
