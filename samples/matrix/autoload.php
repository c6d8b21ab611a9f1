<?php
// Finds the libraries: RATCHET and TEXTALK are checkouts (with Debian's php-guzzlehttp-psr7, php-psr-http-factory and php-psr-log beside), else Composer's vendor folder here.
error_reporting(E_ALL & ~E_DEPRECATED);
if (getenv('RATCHET') && getenv('TEXTALK')) {
    require 'Psr/Log/autoload.php';
    require 'GuzzleHttp/Psr7/autoload.php';
    spl_autoload_register(function ($c) {
        foreach (['Ratchet\\RFC6455\\' => getenv('RATCHET') . '/src/', 'WebSocket\\' => getenv('TEXTALK') . '/lib/'] as $prefix => $dir) {
            $f = $dir . str_replace('\\', '/', substr($c, strlen($prefix))) . '.php';
            if (strncmp($c, $prefix, strlen($prefix)) === 0 && is_file($f)) require $f;
        }
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
