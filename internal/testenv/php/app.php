<?php
// A PHP application as many are: $_SESSION, and a login that gives a new ID. It
// answers the requests of ../node/protocol.md. Settings come from the command line.
class Cart { private $items = ['tea']; protected $total = 2.5; }
enum Suit: string { case Hearts = 'h'; }

$key = $_GET['key'] ?? '';
$path = parse_url($_SERVER['REQUEST_URI'], PHP_URL_PATH);
$value = json_decode(file_get_contents('php://input'), true);
header('Content-Type: application/json');
session_start();
switch ($_SERVER['REQUEST_METHOD'] . ' ' . $path) {
    case 'GET /session':
        echo json_encode(['id' => isset($_COOKIE[session_name()]) ? session_id() : '', 'user' => (string)($_SESSION['user_id'] ?? ''), 'members' => (object)$_SESSION],
            JSON_PRESERVE_ZERO_FRACTION | JSON_UNESCAPED_UNICODE | JSON_PARTIAL_OUTPUT_ON_ERROR);
        exit;
    case 'POST /set':
        $_SESSION[$key] = $value;
        break;
    case 'POST /delete':
        unset($_SESSION[$key]);
        break;
    case 'POST /login':
        session_regenerate_id(true);
        $_SESSION['user_id'] = $_GET['user'];
        break;
    case 'POST /regenerate':
        session_regenerate_id(true);
        $_SESSION = ['fresh' => true];
        break;
    case 'POST /logout':
        $_SESSION = [];
        session_destroy();
        setcookie(session_name(), '', 1, '/');
        break;
    case 'POST /slow':
        file_get_contents($_GET['gate']);
        $_SESSION[$key] = $value;
        break;
    case 'POST /objects': // what only PHP can hold
        $shared = ['deep' => 1];
        $_SESSION = array_merge($_SESSION, ['cart' => new Cart, 'suit' => Suit::Hearts, 'a' => &$shared, 'b' => &$shared, 'bytes' => "\x00\xff", 'when' => new DateTimeImmutable('2024-02-03', new DateTimeZone('UTC'))]);
        break;
    case 'GET /objects':
        $_SESSION['a']['deep'] = 2; // b is the same variable, if it still is
        ob_start();
        var_dump($_SESSION['cart'] ?? null, $_SESSION['suit'] ?? null, $_SESSION['b'] ?? null, bin2hex($_SESSION['bytes'] ?? ''), $_SESSION['when'] ?? null);
        echo json_encode(preg_replace('/#\d+ /', '', ob_get_clean()));
        exit;
    default:
        http_response_code(404);
}
echo '{}';
