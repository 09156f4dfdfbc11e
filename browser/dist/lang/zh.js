/*! @sojourn/browser 0.1.0 | MIT */
var e={title:"您的会话即将结束",warning:"您已有一段时间没有操作。为保护您的数据，会话将在{time}后结束。",final:"会话将在{time}后结束，且无法延长。请立即保存您的工作。",remaining:"剩余时间：{time}。",extend:"继续会话",end:"立即结束会话",close:"关闭",checking:"正在检查您的会话是否仍然有效…",failed:"服务器未按预期响应，目前尚未发生任何更改。请重试。",endedTitle:"您的会话已结束",ended:"为保护您的数据，此页面已隐藏。",again:"重新开始",minute:{other:"#分钟"},second:{other:"#秒"},and:"{0}{1}"};export{e as zh};
