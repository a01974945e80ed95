using System.Runtime.ExceptionServices;
using ShmCheck.Harness.Checking;

namespace ShmCheck.Harness.Exploring;

/// <summary>Threads that expand runs of nodes. What they give is taken in the order of the nodes.
/// </summary>
internal sealed class Frontier : IDisposable
{
    private const int RunNodes = 32;

    /// <summary>Runs under way or waiting to be taken, for each thread: more would only take
    /// memory.</summary>
    private const int RunsPerThread = 8;

    private static readonly TimeSpan Patience = TimeSpan.FromMilliseconds(100);
    private readonly object _gate = new();
    private readonly SortedDictionary<int, ExpansionResult> _results = [];
    private readonly CallWatch _watch;
    private readonly Func<Expansion> _start;
    private readonly Thread[] _threads;
    private Exception? _failure;
    private bool _stopped;
    private int _next = -1;
    private int _end;
    private int _running;

    public Frontier(int jobs, CallWatch watch, Func<Expansion> start)
    {
        _watch = watch;
        _start = start;
        _threads = [.. Enumerable.Range(0, jobs).Select(StartThread)];
    }

    /// <summary>Gives out nodes, and takes the result of the run that starts at
    /// <paramref name="first"/>.</summary>
    /// <param name="first">The first node whose result has not been taken.</param>
    /// <param name="end">The one behind the last that may be expanded now.</param>
    /// <returns>The result; null when it is not there yet, after some time.</returns>
    public ExpansionResult? Take(int first, int end)
    {
        lock (_gate)
        {
            _next = Math.Max(_next, first);
            _end = end;
            Monitor.PulseAll(_gate);
            if (!_results.ContainsKey(first) && _failure is null)
            {
                Monitor.Wait(_gate, Patience);
            }

            if (_failure is not null)
            {
                ExceptionDispatchInfo.Throw(_failure);
            }

            return _results.Remove(first, out ExpansionResult? result) ? result : null;
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        lock (_gate)
        {
            _stopped = true;
            Monitor.PulseAll(_gate);
        }

        foreach (Thread thread in _threads)
        {
            _watch.Join(thread);
        }
    }

    private Thread StartThread(int number)
    {
        var thread = new Thread(Work) { IsBackground = true, Name = $"explore {number + 1}" };
        thread.Start();
        return thread;
    }

    private void Work()
    {
        try
        {
            using Expansion expansion = _start();
            while (Next() is { } run)
            {
                Give(expansion.Expand(run.First, run.End));
            }
        }
        catch (Exception problem)
        {
            lock (_gate)
            {
                _failure ??= problem;
                Monitor.PulseAll(_gate);
            }
        }
    }

    private (int First, int End)? Next()
    {
        lock (_gate)
        {
            while (!_stopped && !MayStart)
            {
                Monitor.Wait(_gate);
            }

            if (_stopped)
            {
                return null;
            }

            int first = _next;
            _next = Math.Min(_next + RunNodes, _end);
            _running++;
            return (first, _next);
        }
    }

    private bool MayStart => _next >= 0 && _next < _end
        && _running + _results.Count < _threads.Length * RunsPerThread;

    private void Give(ExpansionResult result)
    {
        lock (_gate)
        {
            _running--;
            _results.Add(result.First, result);
            Monitor.PulseAll(_gate);
        }
    }
}
