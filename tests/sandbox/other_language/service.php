<?php
// An integration service for Zendesk's Channel framework in PHP without any package, made from the protocol alone.
//
//   PORT=8300 php service.php
//
// WRONG names one of the mistakes that public integrations make.

declare(strict_types=1);
ini_set('display_errors', 'stderr');

const JSON = 'application/json';
const HTML = 'text/html; charset=utf-8';

$wrong = getenv('WRONG') ?: '';
$accounts = [];
$handshakes = [];
$replies = [];
$seen = ['files' => [], 'events' => [], 'pushed' => []];

function post(int $number, string $message, array $more = []): array
{
    global $wrong;
    $written = strtotime("2026-05-0{$number}T09:00:00Z");
    return array_merge([
        'external_id' => $wrong === 'number as an id' ? $number : "note-$number",
        'message' => $message,
        'created_at' => $wrong === 'time without zone' ? gmdate('Y-m-d H:i:s', $written) : gmdate(DATE_RFC3339, $written),
        'author' => ['external_id' => 'ada', 'name' => 'Ada'],
    ], $more);
}

function done(mixed $value, int $status = 200): array
{
    // What cannot be encoded becomes false, and false becomes nothing.
    return [$status, ['content-type' => JSON], (string) json_encode($value)];
}

function page(string $html): array
{
    return [200, ['content-type' => HTML], "<!doctype html><title>Notice board</title>$html"];
}

function manifest(): array
{
    return done([
        'name' => 'Notice board',
        'id' => 'com.example.notice-board',
        'version' => '1',
        'push_client_id' => 'zdg-notice-board',
        'channelback_files' => true,
        'urls' => [
            'admin_ui' => './admin',
            'pull_url' => './pull',
            'channelback_url' => './channelback',
            'clickthrough_url' => './click',
            'event_callback_url' => './events',
        ],
    ]);
}

function admin(array $form): array
{
    global $handshakes;
    $key = bin2hex(random_bytes(8));
    $handshakes[$key] = $form;
    $name = htmlspecialchars($form['name'] ?? '');
    return page(
        "<form method='post' action='admin/save'><input type='hidden' name='handshake' value='$key'>"
        . "<input name='name' value='$name'><input name='key' type='password'><button>Save</button></form>",
    );
}

function save(array $form): array
{
    global $accounts, $handshakes, $wrong;
    $opened = $handshakes[$form['handshake']];
    $known = ($opened['metadata'] ?? '') ?: bin2hex(random_bytes(8));
    $metadata = match ($wrong) {
        'secret in metadata' => json_encode(['id' => substr($known, 0, 16), 'key' => $form['key']]),
        'long metadata' => str_pad($known, 5001, '.'),
        default => $known,
    };
    $parts = parse_url($opened['return_url']);
    $port = isset($parts['port']) ? ":{$parts['port']}" : '';
    $accounts[$metadata] = [
        'zendesk' => "{$parts['scheme']}://{$parts['host']}$port",
        'push' => $opened['instance_push_id'],
        'token' => $opened['zendesk_access_token'],
    ];
    $name = htmlspecialchars($form['name'], $wrong === 'unescaped quote' ? ENT_NOQUOTES : ENT_QUOTES);
    $kept = htmlspecialchars($metadata);
    return page(
        "<form method='post' action='{$opened['return_url']}'><input type='hidden' name='name' value='$name'>"
        . "<input type='hidden' name='metadata' value='$kept'><button>Done</button></form>",
    );
}

function pull(array $form): array
{
    global $wrong;
    $posts = [
        post(1, 'Is the shop open?', ['file_urls' => ['files/shop.txt']]),
        post(2, $wrong === 'no UTF-8' ? "caf\xe9" : 'Anybody there?', ['thread_id' => 'board-7']),
    ];
    if ($wrong === 'long id') {
        $posts[] = post(4, 'See the address.', ['external_id' => str_repeat('x', 256)]);
    }
    $answer = done([
        'external_resources' => ($form['state'] ?? '') === '' ? $posts : [],
        'state' => $wrong === 'long state' ? str_repeat('2', 5001) : '2',
    ]);
    if ($wrong === 'warning before JSON') {
        $answer[2] = "<br />\n<b>Warning</b>: Undefined array key in <b>pull.php</b><br />\n" . $answer[2];
    }
    return $answer;
}

function channelback(array $form): array
{
    global $accounts, $replies, $seen, $wrong;
    $token = $wrong === 'files without token' ? '' : $accounts[$form['metadata']]['token'];
    $key = $form['request_unique_identifier'];
    if (!isset($replies[$key])) {
        $replies[$key] = ['id' => 'answer-' . count($replies) + 1, 'message' => $form['message']];
        foreach ($form['file_urls'] ?? [] as $url) {
            [, $content] = fetch($url, $token);
            $seen['files'][] = $content;
        }
    }
    return $wrong === 'text for an answer' ? [200, ['content-type' => JSON], 'OK'] : done(['external_id' => $replies[$key]['id']]);
}

function click(array $form): array
{
    global $wrong;
    if ($wrong === 'dead link') {
        return [404, ['content-type' => HTML], '<h1>Not found</h1>'];
    }
    return page('<h1>' . htmlspecialchars($form['external_id']) . '</h1>');
}

function events(array $form, string $body): array
{
    global $seen, $wrong;
    $told = json_decode($body, true)['events'];
    foreach ($wrong === 'first event alone' ? array_slice($told, 0, 1) : $told as $event) {
        $seen['events'][] = $event['type_id'];
    }
    return done(null);
}

function write(array $form, string $text): array
{
    global $accounts, $seen, $wrong;
    $account = end($accounts);
    $pushed = [
        'instance_push_id' => $account['push'],
        'request_id' => $wrong === 'long request id' ? str_repeat('r', 65) : 'live-' . count($seen['pushed']),
        'external_resources' => [
            post(3, $text, ['external_id' => 'live-' . count($seen['pushed']) + 1, 'thread_id' => 'board-7']),
        ],
    ];
    $type = $wrong === 'form for a push' ? 'application/x-www-form-urlencoded' : JSON;
    [$status, $content] = fetch("{$account['zendesk']}/api/v2/any_channel/push", $account['token'], json_encode($pushed), $type);
    $seen['pushed'][] = $status === 200 ? json_decode($content, true) : ['status' => $status];
    return done(end($seen['pushed']));
}

function shop(): array
{
    global $wrong;
    return $wrong === 'file behind a sign-in'
        ? [403, ['content-type' => HTML], 'Sign in first.']
        : [200, ['content-type' => 'text/plain'], 'Open from nine to five.'];
}

function tell(): array
{
    global $replies, $seen;
    return done($seen + ['replies' => array_values($replies)]);
}

/** Ask Zendesk, and give the status with the content. */
function fetch(string $url, string $token, ?string $content = null, string $type = JSON): array
{
    $headers = "Authorization: Bearer $token\r\nContent-Type: $type\r\nConnection: close";
    $options = ['header' => $headers, 'ignore_errors' => true, 'timeout' => 20];
    $options += $content === null ? [] : ['method' => 'POST', 'content' => $content];
    $answer = file_get_contents($url, false, stream_context_create(['http' => $options]));
    return [(int) explode(' ', $http_response_header[0])[1], (string) $answer];
}

const ROUTES = [
    'GET /manifest' => 'manifest',
    'POST /admin' => 'admin',
    'POST /admin/save' => 'save',
    'POST /pull' => 'pull',
    'POST /channelback' => 'channelback',
    'GET /click' => 'click',
    'POST /events' => 'events',
    'POST /write' => 'write',
    'GET /files/shop.txt' => 'shop',
    'POST /files/shop.txt' => 'shop',
    'GET /seen' => 'tell',
];

/** Answer one request; the connection ends with it. */
function answer($connection): void
{
    [$method, $target] = explode(' ', (string) fgets($connection)) + ['', ''];
    $length = 0;
    while (($line = rtrim((string) fgets($connection))) !== '') {
        if (stripos($line, 'content-length:') === 0) {
            $length = (int) substr($line, strlen('content-length:'));
        }
    }
    $body = $length > 0 ? (string) stream_get_contents($connection, $length) : '';
    $parts = explode('?', $target, 2) + ['', ''];
    // PHP makes a list of what is called file_urls[].
    parse_str($method === 'POST' ? $body : $parts[1], $form);
    $handler = ROUTES["$method $parts[0]"] ?? null;
    [$status, $headers, $content] = $handler ? $handler($form, $body) : done(null, 404);
    $headers += ['content-length' => strlen($content), 'connection' => 'close'];
    fwrite($connection, "HTTP/1.1 $status Answer\r\n");
    foreach ($headers as $name => $value) {
        fwrite($connection, "$name: $value\r\n");
    }
    fwrite($connection, "\r\n$content");
    fclose($connection);
}

$server = stream_socket_server('tcp://127.0.0.1:' . (getenv('PORT') ?: '0'));
echo substr(strrchr(stream_socket_get_name($server, false), ':'), 1), "\n";
while (true) {
    if ($connection = @stream_socket_accept($server, -1)) {
        answer($connection);
    }
}
