# Mojolicious as a peer: `[CERT KEY]`. What it says and does is that of
# `debian_peer.py`.

# As little of an application as its server can do with: the one that it has comes
# with pages, which need more of Debian.
package Echo;
use Mojo::Base -base, -signatures;
use Mojo::JSON qw(encode_json);
use Mojo::Log;
use Mojo::Transaction::HTTP;

has log => sub { Mojo::Log->new(level => 'fatal') };

sub server   ($self, $server) { }
sub build_tx ($self)          { Mojo::Transaction::HTTP->new }

sub handler ($self, $tx) {
  $tx->res->code($tx->is_websocket ? 101 : 426);
  return $tx->resume unless $tx->is_websocket;
  $tx->with_compression;
  $tx->max_websocket_size(2**24);
  # As bytes, so that they are not taken for characters and encoded again.
  $tx->on(text => sub ($tx, $bytes) {
    return $tx->finish($1, $2) if $bytes =~ /^close (\d+) (.*)/;
    $tx->send({text => $bytes});
  });
  $tx->on(binary => sub ($tx, $bytes) { $tx->send({binary => $bytes}) });
  $tx->on(finish => sub ($tx, $code, $reason) {
    print encode_json({closed => [0 + $code, $reason // '']}), "\n";
  });
  $tx->resume;
}

package main;
use Mojo::Base -strict;
use Mojo::JSON qw(encode_json);
use Mojo::Server::Daemon;

$| = 1;
my ($cert, $key) = @ARGV;
my $listen = $cert
  ? "https://127.0.0.1:0?cert=$cert&key=$key"
  : 'http://127.0.0.1:0';
my $daemon = Mojo::Server::Daemon->new(
  app => Echo->new, listen => [$listen], silent => 1, inactivity_timeout => 60,
);
$daemon->start;
print encode_json({port => 0 + $daemon->ports->[0]}), "\n";
Mojo::IOLoop->start;
