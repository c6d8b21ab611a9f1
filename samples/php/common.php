<?php
// Finds the library: TEXTALK is a checkout of it (with Debian's php-psr-log beside), else Composer's vendor folder here.
error_reporting(E_ALL & ~E_DEPRECATED);
$dir = getenv('TEXTALK');
if ($dir) {
    require 'Psr/Log/autoload.php';
    spl_autoload_register(function ($c) use ($dir) {
        $f = $dir . '/lib/' . str_replace('\\', '/', substr($c, strlen('WebSocket\\'))) . '.php';
        if (strncmp($c, 'WebSocket\\', 10) === 0 && is_file($f)) require $f;
    });
} else {
    require 'vendor/autoload.php';
}
function note(string $file, string $what, string $opcode, string $data, array $more = []): void
{
    $m = ['opcode' => $opcode, 'length' => strlen($data), 'sha256' => hash('sha256', $data)] + $more;
    file_put_contents($file, json_encode(['ws' => 0, $what => $m], JSON_UNESCAPED_SLASHES | JSON_UNESCAPED_UNICODE) . "\n", FILE_APPEND);
}
function setup(string $file, array $facts): void
{
    file_put_contents($file, json_encode(['ws' => 0, 'set' => $facts], JSON_UNESCAPED_SLASHES) . "\n", FILE_APPEND);
}
