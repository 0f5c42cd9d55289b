var client = ZAFClient.init();
client.invoke('resize', { width: '100%', height: '123px' });

client.get('ticket').then(function (data) {
  document.getElementById('ticket').textContent = data.ticket.id;
  document.getElementById('requester').textContent = data.ticket.requester.name;

  client.request({
    url: '/api/v2/any_channel/proxy.json?ticket_id=' + data.ticket.id + '&post_to_path=./like',
    type: 'POST',
    contentType: 'application/json',
    data: JSON.stringify({ like: true })
  }).then(function (answer) {
    document.getElementById('proxy').textContent = JSON.stringify(answer);
  }, function (response) {
    document.getElementById('proxy').textContent = response.status + ' ' + response.responseText;
  });
});
