using System.Collections.Concurrent;
using System.Diagnostics;
using System.Runtime.ExceptionServices;
using ShmCheck.Abi;
using ShmCheck.Harness.Checking;
using ShmCheck.Harness.Coverage;
using ShmCheck.Harness.Planning;
using ShmCheck.Harness.Shrinking;

namespace ShmCheck.Harness.Campaigns;

/// <summary>Checks a system with random sequences until a limit is reached.</summary>
/// <remarks>Threads run blocks; this object takes their results in the order of the blocks, so
/// that what a campaign reports depends on its seed and on how many blocks it completed, not on
/// the threads. A new fingerprint is written to disk as it was found, then shrunk.</remarks>
public sealed class Campaign : IDisposable
{
    private static readonly TimeSpan TimeToShrinkHang = TimeSpan.FromSeconds(30);

    /// <summary>Time in which a live system may hang several times while it is shrunk what it
    /// hangs in.</summary>
    private static readonly TimeSpan PatienceWithLive = TimeSpan.FromMinutes(3);

    private readonly ISystemFactory _factory;
    private readonly CampaignOptions _options;
    private readonly IProgress<CampaignProgress>? _progress;
    private readonly CancellationTokenSource _stop;
    private readonly FindingStore _store;
    private readonly Detours _detours;
    private readonly BlockingCollection<BlockResult> _results;
    private readonly Stopwatch _clock = Stopwatch.StartNew();
    private readonly CoverageMap _coverage = new();
    private readonly Allowances _allowances = new();
    private readonly Steering _steering;
    private readonly CancellationToken _interrupted;
    private readonly CallWatch _watch;
    private CancellationToken _shrinks;
    private Exception? _failure;
    private long _blocks;
    private long _runs;
    private long _planned;
    private long _steps;
    private long _skipped;
    private long _observed;
    private TimeSpan _observationTime;
    private long _nextBlock = -1;
    private bool _goalReached;

    /// <summary>Whether no run of a block came to its first call.</summary>
    private bool _comparesNothing;

    private Campaign(
        ISystemFactory factory, CampaignOptions options, IProgress<CampaignProgress>? progress,
        CancellationToken interrupted)
    {
        _watch = new CallWatch(options.Patience);
        _factory = _watch.Watch(factory);
        _options = options;
        _progress = progress;
        _interrupted = interrupted;
        _stop = CancellationTokenSource.CreateLinkedTokenSource(interrupted, _watch.Hung);
        _shrinks = _stop.Token;
        _steering = new Steering(factory.Capabilities, options.Profiles, options.Seed);
        _store = new FindingStore(options.OutputDirectory);
        _detours = new Detours(factory.Name, options.Ledger);
        _results = new BlockingCollection<BlockResult>(options.Jobs * 2);
    }

    /// <summary>Runs a campaign.</summary>
    /// <param name="factory">Starts the system.</param>
    /// <param name="options">What to do.</param>
    /// <param name="progress">Told how far it has come, after each block.</param>
    /// <param name="interrupted">Ends the campaign; what it has found is kept.</param>
    public static CampaignReport Run(
        ISystemFactory factory, CampaignOptions options,
        IProgress<CampaignProgress>? progress = null, CancellationToken interrupted = default)
    {
        using var campaign = new Campaign(factory, options, progress, interrupted);
        return campaign.Run();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _watch.Dispose();
        if (_watch.Found is null)
        {
            _stop.Dispose();
            _results.Dispose();
        }
    }

    private CampaignReport Run()
    {
        int jobs = _factory.Capabilities.OneAtATime ? 1 : _options.Jobs;
        Thread[] workers =
            [.. Enumerable.Range(1, jobs).Select(number => Start(Work, $"check {number}"))];
        _watch.Join(Start(TakeResults, "check results"));
        _stop.Cancel();
        foreach (Thread worker in workers)
        {
            _watch.Join(worker);
        }

        if (IsOnlyOutOfTime)
        {
            _watch.Join(Start(ShrinkRest, "check rest"));
        }

        if (_failure is not (null or SystemLostException))
        {
            ExceptionDispatchInfo.Throw(_failure);
        }

        Finish();
        return new CampaignReport
        {
            System = _factory.Name,
            Options = _options,
            Blocks = _blocks,
            Runs = _runs,
            Planned = _planned,
            Steps = _steps,
            Skipped = _skipped,
            Observed = _observed,
            ObservationTime = _observationTime,
            Elapsed = _clock.Elapsed,
            Coverage = _coverage,
            Allowances = _allowances,
            Findings = [.. _store.Findings],
            Interrupted = _interrupted.IsCancellationRequested,
            Hung = _watch.Found is not null,
            Lost = _failure?.Message,
        };
    }

    private bool IsOnlyOutOfTime => _failure is null && _watch.Found is null && !_goalReached
        && !_interrupted.IsCancellationRequested && !IsOfItsLength;

    private bool IsOfItsLength =>
        _steps >= _options.Steps || _blocks >= _options.BlocksOfShard;

    /// <summary>Shrinks what was found in blocks that were not taken before the time was up, for as
    /// long again at most.</summary>
    private void ShrinkRest()
    {
        using var limit =
            CancellationTokenSource.CreateLinkedTokenSource(_interrupted, _watch.Hung);
        limit.CancelAfter(_clock.Elapsed);
        _shrinks = limit.Token;
        foreach ((RunRecord found, long block) in _store.Rest())
        {
            if (!limit.IsCancellationRequested)
            {
                ShrinkWithOthers(found, _steps, block);
            }
        }
    }

    /// <summary>A campaign of so many steps or blocks is over with its last block, whatever other
    /// threads have found in later ones; one that ends at some time or other keeps all it has
    /// found.</summary>
    private void Finish()
    {
        if (_watch.Found is { } hung)
        {
            TakeHang(hung);
            _store.ClaimAnew();
            _store.AddRest(_steps);
        }
        else if (IsOfItsLength)
        {
            _store.RemoveRest();
        }
        else
        {
            _store.AddRest(_steps);
        }
    }

    private static Thread Start(ThreadStart work, string name)
    {
        var thread = new Thread(work) { IsBackground = true, Name = name };
        thread.Start();
        return thread;
    }

    private void Work()
    {
        try
        {
            while (!_stop.IsCancellationRequested)
            {
                long index = (Interlocked.Increment(ref _nextBlock) * _options.Shards)
                    + _options.Shard - 1;
                if (index >= _options.Blocks)
                {
                    return;
                }

                var block = new Block(_factory, _options, _detours.Ledger, _steering);
                if (block.Run(index, found => _store.KeepRaw(found, index), _stop.Token)
                    is { } result)
                {
                    _results.Add(result, _stop.Token);
                }
            }
        }
        catch (OperationCanceledException)
        {
            // The campaign has ended while this thread had a result left.
        }
        catch (Exception problem) when (problem is not OutOfMemoryException)
        {
            Fail(problem);
        }
    }

    /// <summary>Ends the campaign; the first problem is the one that is told.</summary>
    private void Fail(Exception problem)
    {
        Interlocked.CompareExchange(ref _failure, problem, null);
        _stop.Cancel();
    }

    /// <summary>Takes results in the order of the blocks until a limit is reached.</summary>
    private void TakeResults()
    {
        var early = new Dictionary<long, BlockResult>();
        long next = _options.Shard - 1;
        try
        {
            while (!IsOver())
            {
                BlockResult result = _results.Take(_stop.Token);
                early.Add(result.Index, result);
                while (!IsOver() && early.Remove(next, out BlockResult? inOrder))
                {
                    Take(inOrder);
                    next += _options.Shards;
                }
            }
        }
        catch (OperationCanceledException)
        {
            // Interrupted: what has been taken is the result.
        }
        catch (Exception problem) when (problem is not OutOfMemoryException)
        {
            Fail(problem);
        }
    }

    /// <summary>Whether a limit is reached. Time is not up before the first block: of a slow system
    /// that may take longer, and no run says that all conforms who has compared nothing.</summary>
    private bool IsOver() =>
        _stop.IsCancellationRequested || _goalReached || _comparesNothing || IsOfItsLength
        || (_blocks > 0 && _clock.Elapsed >= _options.Time && _steps >= _options.LeastSteps);

    private void Take(BlockResult result)
    {
        _blocks++;
        if (_options.Blocks is not null)
        {
            _store.ClaimAnew();
        }

        _comparesNothing = result.Steps == 0 && result.Divergences.Count > 0;
        _runs += result.Runs;
        _skipped += result.Skipped;
        _observed += result.Observed;
        _observationTime += result.ObservationTime;
        _planned += result.Planned;
        _coverage.Add(result.Coverage);
        _allowances.Add(result.Allowances);
        foreach (Sighting sighting in result.Divergences.Values)
        {
            ShrinkWithOthers(sighting.First, _steps + sighting.Steps, result.Index);
            if (_goalReached)
            {
                break;
            }

            // Where several blocks are under way, what they do must not depend on their order.
            if (_factory.Capabilities.OneAtATime)
            {
                _detours.Count(
                    sighting.First.Divergence!.Fingerprint, sighting.First.Machine,
                    sighting.Count);
            }
        }

        _steps += result.Steps;
        Report(shrinking: false);
    }

    /// <summary>Shrinks a run, and those with yet other fingerprints that shrinking meets.
    /// </summary>
    private void ShrinkWithOthers(RunRecord first, long steps, long block)
    {
        var queue = new Queue<RunRecord>([first]);
        while (queue.TryDequeue(out RunRecord? found))
        {
            if (!_store.TryClaim(found))
            {
                continue;
            }

            Report(shrinking: true);
            _store.Add(found, Shrink(found, queue), steps, block);
            _goalReached |= _options.Goal?.Invoke(found.Divergence!.Fingerprint) ?? false;
        }
    }

    /// <summary>A call that does not come back is a finding, which is shrunk where loops have
    /// bounds.</summary>
    private void TakeHang(HungCall hung)
    {
        if (hung.Calls.Count == 0)
        {
            _failure ??= new SystemLostException(
                $"{_factory.Name} could not be started: it does not come back", null);
            return;
        }

        RunRecord found = HungRun.Record(hung);
        _store.KeepRaw(found, _blocks);
        ShrinkResult? shrunk = null;
        if (_options.Bounded is { } bounded)
        {
            using var limit = CancellationTokenSource.CreateLinkedTokenSource(_interrupted);
            limit.CancelAfter(TimeToShrinkHang);
            shrunk = Shrinker.Shrink(
                new SequenceRunner(bounded()), found, cancelled: limit.Token);
        }

        _store.Add(found, shrunk, _steps, _blocks);
    }

    private ShrinkResult? Shrink(RunRecord found, Queue<RunRecord> others)
    {
        if (_store.Claimed > _options.MostShrunk)
        {
            return null;
        }

        try
        {
            return Shrinker.Shrink(
                new SequenceRunner(_factory, null, found.Ledger), found,
                other => Enqueue(others, other),
                _factory.Capabilities.OneAtATime ? PatienceWithLive : null, _shrinks);
        }
        catch (Exception problem) when (problem is not OutOfMemoryException)
        {
            Fail(problem);
            return null;
        }
    }

    private void Enqueue(Queue<RunRecord> queue, RunRecord other)
    {
        if (queue.Count < _options.MostShrunk && !_store.IsClaimed(other)
            && !queue.Any(q => SameBug(q, other)))
        {
            queue.Enqueue(other.Copy());
        }
    }

    private static bool SameBug(RunRecord one, RunRecord other) =>
        Equals(one.Divergence?.Fingerprint, other.Divergence?.Fingerprint);

    private void Report(bool shrinking) => _progress?.Report(new CampaignProgress(
        _runs, _steps, _clock.Elapsed, _coverage.RulesFired, _store.Findings.Count, shrinking));
}
