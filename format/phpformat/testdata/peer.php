<?php
// A PHP application's side of the tests. Reads lines "HANDLER BASE64" and answers
// each with a line of JSON: whether session_decode() takes the record, what it
// holds, and the record that session_encode() makes of it. The line "HANDLER +NAME"
// asks for a sample instead.

class Cart { private $items = [1, 'x' => 2]; protected $total = 2.5; public $open = true; public $me; }
class Anew {
    public $of;
    function __serialize(): array { return ['of' => $this->of, 'more' => [1, []]]; }
    function __unserialize(array $a): void { $this->of = $a['of']; }
}
class Old implements Serializable {
    public $v = 1;
    function serialize() { return 'raw:' . $this->v; }
    function unserialize($s) { $this->v = substr($s, 4); }
    function __construct($v = 1) { $this->v = $v; }
}
enum Suit: string { case Hearts = 'h'; case Spades = 's'; }

function sample(string $name): array {
    $cart = new Cart; $cart->me = $cart;
    $std = new stdClass; $std->a = 1; $std->{'5'} = 'five';
    $shared = ['deep' => [1, 2]]; $n = 7; $o = new Anew; $o->of = 'x';
    switch ($name) {
        case 'empty': return [];
        case 'plain': return ['user' => ['id' => 42, 'name' => 'Ada'], 'role' => 'admin', 'cart' => [1, 2.5, 'żółć'], 'n' => null, 't' => true, 'f' => false,
            'big' => PHP_INT_MAX, 'low' => PHP_INT_MIN, 'neg' => [-1, -255, -256, -65536, -4294967296], 'empty' => '', 'none' => [], 'nested' => [[[[]]], ['a' => ['b' => 1]]]];
        case 'floats': return ['all' => [1.0, -0.0, 0.1, 1e21, 1e17, 1e16, 1.5e-7, 0.0001, 0.00001, 123456789.125, PHP_FLOAT_MAX, PHP_FLOAT_MIN, INF, -INF, NAN, 1/3]];
        case 'bytes': return ['bin' => "\x00\xff|;\"}", 'quote' => 'a"b;c|d', 'keys' => ["\xff" => 1, '@class' => 'no class', '007' => 1, '-5' => 2, '-0' => 3, 7 => 4]];
        case 'objects': return ['cart' => $cart, 'std' => $std, 'when' => new DateTimeImmutable('2024-02-03 04:05:06', new DateTimeZone('Europe/Warsaw')), 'suit' => Suit::Hearts, 'suits' => [Suit::Hearts, Suit::Spades],
            'anew' => $o, 'list' => new ArrayObject([1, 2])];
        case 'custom': return ['old' => new Old, 'after' => 'x'];
        case 'same': return ['a' => $std, 'b' => $std, 'c' => ['again' => $std], 'cart' => $cart, 'z' => $cart, 'suit' => [Suit::Spades, Suit::Spades]];
        case 'references': $s = ['first' => [1, 2, 3], 'a' => &$shared, 'b' => &$shared, 'n' => &$n, 'm' => [&$n, &$n], 'o' => &$o, 'p' => &$o, 'q' => $o]; return $s;
        case 'circle': $s = ['before' => 'x', 'list' => [1]]; $s['list'][] = &$s['list']; $s['same'] = &$s['list']; return $s;
        case 'repeats': return ['x' => ['k' => 'value', 'l' => 'value'], 'value' => ['k', 'l', 'x'], 'many' => array_fill(0, 300, 'value'), 'long' => str_repeat('y', 70000), 'strings' => array_map(fn($i) => "s$i", range(0, 299)), 'last' => ['s0', 's299', 'l']];
    }
    return [];
}

ini_set('session.use_cookies', '0');
ini_set('session.save_path', sys_get_temp_dir());
ini_set('session.cache_limiter', '');
error_reporting(E_ALL & ~E_DEPRECATED);
ini_set('display_errors', '0');
ini_set('log_errors', '0');
ini_set('unserialize_callback_func', '');

while (($line = fgets(STDIN)) !== false) {
    [$handler, $rest] = explode(' ', rtrim($line, "\n"), 2);
    ini_set('session.serialize_handler', $handler);
    session_id('peer' . getmypid());
    session_start();
    $_SESSION = [];
    if (($rest[0] ?? '') === '+') {
        $_SESSION = sample(substr($rest, 1));
        $ok = true;
    } else {
        try { $ok = session_decode(base64_decode($rest)); } catch (Throwable $e) { $ok = false; }
    }
    $record = $ok && isset($_SESSION) ? @session_encode() : '';
    ob_start(); var_dump($_SESSION ?? null); $dump = ob_get_clean();
    $dump = preg_replace('/#\d+/', '#', $dump);
    // What json_encode cannot say is left out; null where it fails.
    $json = @json_encode($_SESSION ?? null, JSON_PRESERVE_ZERO_FRACTION | JSON_UNESCAPED_UNICODE | JSON_UNESCAPED_SLASHES);
    // Not echo: PHP lets nobody change a session's settings after output.
    fwrite(STDOUT, json_encode(['ok' => $ok, 'record' => base64_encode((string)$record), 'dump' => base64_encode($dump), 'json' => base64_encode((string)$json)]) . "\n");
    if (session_status() === PHP_SESSION_ACTIVE) session_abort();
    @unlink(sys_get_temp_dir() . '/sess_peer' . getmypid());
}
