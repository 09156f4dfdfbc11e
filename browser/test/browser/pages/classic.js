var session = Sojourn.connect();
