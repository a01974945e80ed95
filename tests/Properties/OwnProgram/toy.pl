#!/usr/bin/perl
# System V shared memory as a toy that speaks the agent protocol: private segments, attached where
# the toy likes. A forgetful one does not detach what a process that ends has attached.
use strict;
use warnings;

my $forgetful = grep { $_ eq '--forgetful' } @ARGV;
my ($last_task, $last_id, $last_address) = (0, -1, 1 << 46);
my (%tasks, %segments, @attaches);    # id => whether it is removed; [task, address, id]

my %controller = (
    caps => sub {
        'ok calls=get,at,dt,rmid,fork,exit,kill figures=ipc.used_ids,segment.nattch ids=free';
    },
    start => sub { $tasks{++$last_task} = 1; "ok $last_task" },
    reset => sub { (%tasks, %segments, @attaches) = (); 'ok 0' },
    kill => sub { end_task(shift) },
    observe => \&observe,
);

my %task = (
    get => sub {
        my ($task, $key, $size, $flags) = @_;
        return 'skip' if $key != 0 || $flags & ~0777 || $size > 65536;
        return 'err EINVAL' if $size == 0;
        $segments{++$last_id} = 0;
        "ok $last_id";
    },
    at => sub {
        my ($task, $id, $address, $flags) = @_;
        return 'skip' if $address != 0 || $flags != 0;
        return 'err EINVAL' unless exists $segments{$id};
        push @attaches, [$task, $last_address += 1 << 20, $id];
        "ok $last_address";
    },
    dt => sub {
        my ($task, $address) = @_;
        my ($found) = grep { $_->[0] == $task && $_->[1] == $address } @attaches;
        return 'err EINVAL' unless $found;
        detach($found);
        'ok 0';
    },
    rmid => sub {
        my ($task, $id) = @_;
        return 'err EINVAL' unless exists $segments{$id};
        $segments{$id} = 1;
        destroy_unused($id);
        'ok 0';
    },
    spawn => sub {
        my ($task, $flags) = @_;
        return 'skip' if $flags != 0;
        $tasks{++$last_task} = 1;
        push @attaches, map { [$last_task, $_->[1], $_->[2]] } grep { $_->[0] == $task } @attaches;
        "ok $last_task";
    },
    exit => \&end_task,
);

sub detach {
    my ($gone) = @_;
    @attaches = grep { $_ != $gone } @attaches;
    destroy_unused($gone->[2]);
}

sub destroy_unused {
    my ($id) = @_;
    delete $segments{$id} if $segments{$id} && !grep { $_->[2] == $id } @attaches;
}

sub end_task {
    my ($task) = @_;
    delete $tasks{$task};
    my @left = grep { $_->[0] == $task } @attaches;
    detach($_) for $forgetful ? () : @left;
    %segments = () unless %tasks;
    'ok 0';
}

# Rows as the protocol has them: what is not among our figures is 0.
sub observe {
    my @rows = %tasks ? "n 0 @{[scalar keys %segments]} 0 0 0 0" : ();
    for my $id (sort { $a <=> $b } keys %segments) {
        my $attaches = grep { $_->[2] == $id } @attaches;
        push @rows, "s 0 $id 0 0 0 0 0 0 0 0 0 $attaches 0 0 0 0 0";
    }
    join ' ', 'ok', @rows, 'g 0 0 0 0 0';
}

$| = 1;
print "shmcheck-agent 1 page 4096\n";
while (my $line = <STDIN>) {
    my ($task, $name, @arguments) = split ' ', $line;
    my $operation = $task ? $task{$name} : $controller{$name};
    unshift @arguments, $task if $task;
    print $operation ? $operation->(@arguments) : 'bad command', "\n";
}
