"""What pages say that stand where the content should be: gone, worked on, for users only, stopped by a firewall.

Texts are without blanks. Words prove nothing in a long text, nor on a page that speaks of itself as an article: who
asks here has looked at that before (stand_ins.py, challenge.py), or has no more than a few words (`name_notice`).
"""

from __future__ import annotations

import re

from connectors.errors import Blocked, EmptyShell, LoginRequired, Maintenance, SoftGone, SourceError

ARTICLE = re.compile(r"(?:发布|发文|成文|印发|生成)(?:日期|时间)[:：]?(?:19|20)\d\d|索引号[:：]?\w{4}")
"""Labels with their values: a page in the portal's frame may have the labels alone."""
REPORT = re.compile("法治政府|依法行政|依法治|年度报告|年报")

_THING = "(?:页面?|网页|网址|内容|文章|信息|栏目|文件|资源|链接|地址|站点|稿件|图文)"
_TAKEN_AWAY = "(?:删除|移除|撤下|撤回|撤稿|下线|下架|取消发布|(?:关闭|屏蔽|过期)(?=[。！!,，；;]|\\Z))"
GONE = re.compile(
    f"{_THING}[^。！!；;，,]{{0,8}}(?:不存在|未找到|找不到|已失效|尚?未(?:发布|审核))"
    f"|{_THING}[^。！!；;，,]{{0,6}}已(?:经|被){{0,2}}{_TAKEN_AWAY}"
    f"|(?:找不到|未找到|没有找到|无法找到)[^。！!；;，,]{{0,10}}{_THING}"
    "|(?:page|file|document|resource)(?:was|is|could|can|you[a-z]{0,20})?(?:not(?:be)?(?:found|available)|doesnotexist"
    "|nolongerexists)|wasnotfoundonth(?:is|e)server|httpstatus(?:code)?[:：]?404"
    r"|(?<!\d)404notfound",
    re.I,
)
GONE_TITLE = re.compile(
    r"(?:\A|[-_|—–])(?:(?:error|http(?:status)?)?(?:404|410)(?![\d号件人条名家个项起])|notfound"
    r"|(?:出错了?|错误(?:页面?|提示|信息)?|error)(?=\Z|[-_|—–!！]))",
    re.I,
)

_SITE = "(?:网站|门户|平台|系统|服务器?|本站|站点|页面|栏目)"
_WORK = "(?:维护|升级|改版|检修|迁移|割接|改造)"
WORKS = re.compile(
    f"{_SITE}[^。！!；;]{{0,12}}(?:正在|进行|处于)[^。！!；;]{{0,8}}{_WORK}"
    f"|{_SITE}[^。！!；;]{{0,4}}(?:正在)?(?:建设|维护|升级|改版|检修)中(?![国期央心的])"
    f"|{_SITE}[^。！!；;]{{0,8}}(?:暂停|停止)(?:对外)?(?:服务|访问)"
    f"|{_SITE}[^。！!；;]{{0,12}}{_WORK}[^。！!；;]{{0,8}}(?:暂时|暂停|无法|不能)[^。！!；;]{{0,6}}(?:服务|访问|使用|浏览|打开)"
    "|under-?(?:maintenance|construction)|maintenancemode|temporarily(?:unavailable|down|closed)|downformaintenance",
    re.I,
)
ANNOUNCED = re.compile(f"(?:将于|拟于|定于)[^。！!]{{0,30}}{_WORK}")

LOGIN = re.compile(
    "请(?:您|先){0,2}(?:登录|登陆)(?:系统|平台|账号)?(?:后|再)[^。！!]{0,6}(?:查看|访问|浏览|阅读|操作|下载)"
    "|请(?:您|先){1,2}(?:登录|登陆)(?=[。！!,，]|\\Z)"
    "|(?:没有|暂无|无)权限?[^。！!，,]{0,8}(?:访问|查看|浏览|阅读)|(?:访问|查看|浏览)权限不足"
    "|(?:登录|登陆|会话)(?:信息|状态)?(?:已经?)?(?:超时|失效|过期)|(?:您|用户)(?:还|尚)?未(?:登录|登陆)|扫码登[录陆]"
)

_ON = "[^。！!？?；;]"
_ATTACK = f"疑似{_ON}{{0,6}}攻击"
_WALL = "(?:防火墙|WAF|云防护|安全狗|防护系统|D盾|创宇盾|玄武盾|网站卫士|磐云|云锁|加速乐|护卫神|雷池)"
STOPPED = re.compile(
    f"(?:您|你)(?:的|所)?{_ON}{{0,4}}(?:请求|访问|操作|IP|URL){_ON}{{0,40}}(?:拦截|阻断|阻止|屏蔽|封禁|{_ATTACK}|被?(?:拒绝|禁止))"
    f"|(?:当前|本次)(?:请求|访问){_ON}{{0,30}}(?:拦截|阻断|{_ATTACK})"
    f"|{_WALL}{_ON}{{0,30}}(?:已|被){_ON}{{0,6}}(?:拦截|阻断|阻止|拒绝)"
    "|(?:访问|请求|操作)(?:速度)?(?:过于|太过|过度|太)频繁"
    f"|(?:您|你|该|本|访问|来源|客户端)的?IP{_ON}{{0,16}}(?:不在允许|(?:已|被){_ON}{{0,8}}(?:拦截|禁止|限制|封禁|拉黑)|黑名单)"
    f"|(?:按住|拖动|拖拽|滑动){_ON}{{0,8}}滑块|(?:点击|完成){_ON}{{0,8}}验证{_ON}{{0,6}}(?:继续|访问)"
    f"|输入{_ON}{{0,8}}验证码{_ON}{{0,4}}(?:继续|访问)"
    f"|正在(?:确认|检测|检查|验证){_ON}{{0,8}}(?:机器人|浏览器|人机|访问环境)"
    "|requestedurlwasrejected|yoursupportid(?:is)?:|requestunsuccessful[.。]|areyouarobot|checkingyourbrowser"
    "|(?:verif(?:y|ying)|checking)(?:that)?youarehuman|enablejavascriptandcookiesto|unusualtrafficfrom"
    "|(?:you|request|access|ip(?:address)?)ha(?:s|ve)been(?:blocked|denied|rejected)|siteownerhasrestrictedaccess"
    "|donothavepermissiontoaccess[^.]{0,200}onthisserver",
    re.I,
)
STOPPED_TITLE = re.compile(
    "(?:网站)?防火墙|(?:安全)?拦截(?:页面|提示|通知)?|.{0,12}拦截提示|(?:您的)?访问被?(?:拦截|拒绝|阻断|禁止)|拒绝访问|非法(?:访问|请求)"
    "|(?:滑动|访问|安全|人机|滑块)验证(?:页面|中心)?|request(?:is)?(?:rejected|blocked)|accessdenied|attentionrequired!?.{0,20}"
    "|justamoment[.。…]*|restrictedaccess|(?:security|robot|human)(?:check|verification|challenge)",
    re.I,
)
"""The whole of it."""

_NOTICE = 100
"""Characters of a body that is a notice: one sentence, or two."""
_ENOUGH = 5 * _NOTICE
"""Characters, blanks among them, that tell nearly always that a body is longer than a notice."""
_SAYING = 20
_SUBJECT = re.compile(
    f"{_WORK}|暂停|停止|关停|删除|清理|失效|废止|撤|下线|关闭|过期|注销|登录|验证|拦截|访问|权限|未找到"
)
"""What an article that speaks of such things has in its title: it is its subject."""
_ASKS_PATIENCE = re.compile("暂停|稍[后候]|谅解|敬请|无法|不能|不便|恢复")
_WAITING = re.compile(
    r"(?:页面|内容|数据|信息|正文)?(?:正在|努力|拼命)?(?:加载|载入|跳转)中?[,，]?(?:请稍[候后等]|请等待)?[.。…！!]*"
    r"|暂无(?:相关)?(?:内容|数据|信息|正文)[.。！!]?|(?:now)?loading[.。…]*",
    re.I,
)


def name_notice(url: str, title: str, body: str) -> SourceError | None:
    """What a notice says that stands in an article's frame, under its own title: an error of that kind, or None.

    Content systems send such a page for what was taken away: all marks of an article, and one sentence in its place."""
    text = "".join(body[:_ENOUGH].split())
    if len(body) > _ENOUGH and len(text) <= _NOTICE:
        text = "".join(body.split())
    if not text or len(text) > _NOTICE or _SUBJECT.search(title):
        return None
    told = f"{url} has the frame of an article, and in it only {text[:60]!r}"
    if _WAITING.fullmatch(text):
        return EmptyShell(told, url=url, status=200)
    if GONE.search(text):
        return SoftGone(told, url=url, status=200)
    if WORKS.search(text) and not ANNOUNCED.search(text) and (len(text) < _SAYING or _ASKS_PATIENCE.search(text)):
        return Maintenance(told, url=url, status=200)
    if LOGIN.search(text):
        return LoginRequired(told, url=url, status=200)
    if STOPPED.search(text):
        return Blocked(told, url=url, status=200, evidence=f"status 200, saying {text[:60]}")
    return None
